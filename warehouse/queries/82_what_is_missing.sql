-- Which datum would make each untested claim testable?
SELECT document, statement, missing_datum FROM meta.claims WHERE verdict = 'not_testable' ORDER BY document, claim_id;

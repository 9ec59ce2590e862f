-- Which claims do the numbers not bear out, and what comes out instead?
SELECT document, statement, metric, relation, published_low, published_high, recomputed_value, unit, note
FROM meta.claims WHERE verdict = 'not_reproduced' ORDER BY document, claim_id;

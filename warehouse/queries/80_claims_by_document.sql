-- How many claims of each document hold?
SELECT document, count(*) AS claims, count(*) FILTER (verdict = 'reproduced') AS reproduced,
       count(*) FILTER (verdict = 'reproduced_in_part') AS in_part, count(*) FILTER (verdict = 'not_reproduced') AS not_reproduced,
       count(*) FILTER (verdict = 'inconclusive') AS inconclusive, count(*) FILTER (verdict = 'not_testable') AS not_testable
FROM meta.claims GROUP BY document ORDER BY claims DESC, document;

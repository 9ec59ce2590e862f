-- Which factors of the fall does evidence tell apart, and which not?
SELECT series, factor, evidence_status, value, low, high, n, evidence
FROM marts.price_compression
WHERE series IN ('stanford_280', (
    SELECT series FROM marts.price_slope
    WHERE kind = 'fixed_quality' AND scale = 'eci' AND model = 'gpt-4' AND input_per_output = 1
))
ORDER BY series, factor;

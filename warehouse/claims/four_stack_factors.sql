-- Factors whose value follows from evidence and is no remainder.
SELECT count(*) FILTER (evidence_status = 'identified') AS value, count(*) AS n FROM marts.price_compression
WHERE regexp_matches(series, '^eci [0-9.]+ gpt-4 1:1$') AND factor IN ('quantisation', 'runtime', 'decoding', 'hardware')

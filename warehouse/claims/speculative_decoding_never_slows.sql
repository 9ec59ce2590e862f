-- All published points of the pattern.
SELECT avg((sign = 'negative')::INT) AS value, count(*) AS n FROM marts.routing_premium WHERE pattern = 'speculative_decoding'

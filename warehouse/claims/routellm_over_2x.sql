-- The easier of the two printed settings, on three benchmarks.
SELECT median(1 / (1 - premium)) AS value, min(1 / (1 - premium)) AS low, max(1 / (1 - premium)) AS high, count(*) AS n
FROM marts.routing_premium WHERE system = 'RouteLLM' AND figure LIKE '%cpt50'

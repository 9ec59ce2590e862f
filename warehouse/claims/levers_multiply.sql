-- All pairs and stacks at all operating points.
SELECT median(usd_interaction) AS value, min(usd_interaction) AS low, max(usd_interaction) AS high, count(*) AS n
FROM marts.lever_effects WHERE usd_interaction IS NOT NULL

-- Positive points, at an error of 25 %.
SELECT count(*) FILTER (fails_if_cost_understated) AS value, count(*) AS n
FROM marts.routing_fragility WHERE overstatement = 0.25 AND premium > 0

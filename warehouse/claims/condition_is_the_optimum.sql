-- Every arc with a training elasticity, at each dollar ratio of the scenario.
SELECT avg((published_verdict = lagrangian_verdict)::INT) AS value, count(*) AS n
FROM marts.inference_frontier WHERE published_verdict IS NOT NULL

-- Solvers trained with the verifier.
SELECT median(gain_points) AS value, min(gain_points) AS low, max(gain_points) AS high, count(DISTINCT benchmark) AS n
FROM marts.verifier_curriculum WHERE verifier <> 'none'

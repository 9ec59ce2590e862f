-- Works of the calibration set with eta_N above 1 somewhere.
SELECT count(DISTINCT paper) FILTER (more_samples_lower_cost) AS value, count(DISTINCT (paper, curve, system, samples_from)) AS n,
       max(eta_samples) AS greatest
FROM marts.inference_frontier WHERE paper IN ('rstar_math', 'deepseek_r1', 'snell', 'brown')

-- Strongest over named baseline, all gains.
SELECT median(value) AS value, min(value) AS low, max(value) AS high, count(*) AS n, arg_max(workload, value) AS workload, arg_max(baseline, value) AS weak
FROM marts.serving_decomposition WHERE paper = 'distserve' AND factor = 'baseline' AND value IS NOT NULL

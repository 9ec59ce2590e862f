-- Strongest over named baseline, all gains.
SELECT median(value) AS value, min(value) AS low, max(value) AS high, count(*) AS n
FROM marts.serving_decomposition WHERE paper = 'distserve' AND factor = 'baseline' AND value IS NOT NULL

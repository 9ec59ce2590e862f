-- Systems that search with 64 trajectories, on both benchmarks.
SELECT median(value) / 100 AS value, min(value) / 100 AS low, max(value) / 100 AS high, count(*) AS n
FROM raw.test_time_figure
WHERE paper = 'rstar_math' AND metric = 'accuracy' AND selection = 'search' AND samples = 64
  AND benchmark IN ('math500', 'aime24')

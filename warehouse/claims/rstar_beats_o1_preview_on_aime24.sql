-- Difference of the two shares with its 95 % interval, in points.
WITH shares AS (
  SELECT max(value / 100) FILTER (system = 'Qwen2.5-Math-7B + rStar-Math' AND samples = 64) AS ours,
         max(value / 100) FILTER (system = 'o1-preview') AS theirs, max(n) AS n
  FROM raw.test_time_figure WHERE paper = 'rstar_math' AND benchmark = 'aime24' AND metric = 'accuracy'
), spread AS (SELECT *, 1.96 * sqrt((ours * (1 - ours) + theirs * (1 - theirs)) / n) AS half FROM shares)
SELECT 100 * (ours - theirs) AS value, 100 * (ours - theirs - half) AS low, 100 * (ours - theirs + half) AS high, n
FROM spread

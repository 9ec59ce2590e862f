-- Difference of the two shares of the same issues with its 95 % interval, in points; both taken as independent.
WITH shares AS (
  SELECT max(value / 100) FILTER (system = 'DeepSeek-Coder-V2-Instruct' AND selection = 'coverage') AS ours,
         max(value / 100) FILTER (system LIKE 'CodeStory%') AS theirs, max(n) AS n
  FROM raw.test_time_figure WHERE paper = 'brown' AND benchmark = 'swe_bench_lite' AND metric = 'accuracy'
), spread AS (SELECT *, 1.96 * sqrt((ours * (1 - ours) + theirs * (1 - theirs)) / n) AS half FROM shares)
SELECT 100 * (ours - theirs) AS value, 100 * (ours - theirs - half) AS low, 100 * (ours - theirs + half) AS high, n
FROM spread

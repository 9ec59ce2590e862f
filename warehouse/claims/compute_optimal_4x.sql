-- Both curves at equal accuracy, samples interpolated in their logarithm between neighbouring points, wherever both reach.
WITH point AS (
  SELECT system LIKE '%compute-optimal%' AS optimal, samples, value FROM raw.test_time_figure
  WHERE paper = 'snell' AND metric = 'accuracy' AND regexp_matches(system, 'compute-optimal|best-of-N')
), segment AS (
  SELECT optimal, value AS high_value, ln(samples) AS high_at, lag(value) OVER w AS low_value, lag(ln(samples)) OVER w AS low_at
  FROM point WINDOW w AS (PARTITION BY optimal ORDER BY samples)
), reached AS (
  SELECT p.value, s.optimal, min(low_at + (high_at - low_at) * (p.value - low_value) / (high_value - low_value)) AS ln_samples
  FROM (SELECT DISTINCT value FROM point) p JOIN segment s ON p.value BETWEEN s.low_value AND s.high_value
  GROUP BY ALL
), ratio AS (
  SELECT value AS accuracy, exp(max(ln_samples) FILTER (NOT optimal) - max(ln_samples) FILTER (optimal)) AS ratio
  FROM reached GROUP BY value HAVING count(*) = 2
)
SELECT exp(avg(ln(ratio))) AS value, min(ratio) AS low, max(ratio) AS high, count(*) AS n,
       arg_max(accuracy, ratio) AS best_at, arg_min(accuracy, ratio) AS least_at
FROM ratio

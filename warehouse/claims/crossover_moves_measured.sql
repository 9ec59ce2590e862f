-- Per model: how much the median crossover differs between the three GPUs.
WITH shift AS (
  SELECT model, max(crossover_tpot_s) / min(crossover_tpot_s) AS ratio
  FROM marts.partition_summary
  WHERE setting = 'measured' AND gpu IN ('a100-80gb-sxm', 'h100-sxm', 'h200-sxm')
  GROUP BY model HAVING count(crossover_tpot_s) = 3
)
SELECT median(ratio) AS value, min(ratio) AS low, max(ratio) AS high, count(*) AS n FROM shift

-- Per model: how much the share that disaggregation wins differs between the three GPUs.
WITH shift AS (
  SELECT model, max(disaggregated_share) / min(disaggregated_share) AS ratio
  FROM marts.partition_summary
  WHERE setting = 'plain' AND gpu IN ('a100-80gb-sxm', 'h100-sxm', 'h200-sxm') AND disaggregated_share > 0
  GROUP BY model HAVING count(*) = 3
)
SELECT median(ratio) AS value, min(ratio) AS low, max(ratio) AS high, count(*) AS n FROM shift

-- Knees of the six plots: model and data set.
WITH pair AS (
  SELECT o.system, v.requests_per_s_per_gpu / o.requests_per_s_per_gpu AS ratio
  FROM marts.published_common_frame v JOIN marts.published_common_frame o USING (paper, model, workload)
  WHERE v.paper = 'paged_attention' AND v.system = 'vLLM' AND starts_with(o.system, 'Orca')
    AND v.requests_per_s_per_gpu IS NOT NULL AND o.requests_per_s_per_gpu IS NOT NULL
), blind AS (SELECT * FROM pair WHERE system IN ('Orca (Max)', 'Orca (Pow2)'))
SELECT median(ratio) AS value, min(ratio) AS low, max(ratio) AS high, count(*) AS n,
       (SELECT min(ratio) FROM pair WHERE system = 'Orca (Oracle)') AS oracle_low,
       (SELECT max(ratio) FROM pair WHERE system = 'Orca (Oracle)') AS oracle_high
FROM blind

-- Knees of the six plots: model and data set.
SELECT max(v.requests_per_s_per_gpu / o.requests_per_s_per_gpu) AS value, count(*) AS n
FROM marts.published_common_frame v JOIN marts.published_common_frame o USING (paper, model, workload)
WHERE v.paper = 'paged_attention' AND v.system = 'vLLM' AND o.system = 'FasterTransformer'
  AND v.requests_per_s_per_gpu IS NOT NULL AND o.requests_per_s_per_gpu IS NOT NULL

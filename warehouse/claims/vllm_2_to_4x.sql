-- Knees of the six plots: model and data set.
SELECT median(v.requests_per_s_per_gpu / o.requests_per_s_per_gpu) AS value,
       min(v.requests_per_s_per_gpu / o.requests_per_s_per_gpu) AS low,
       max(v.requests_per_s_per_gpu / o.requests_per_s_per_gpu) AS high, count(*) AS n
FROM marts.published_common_frame v JOIN marts.published_common_frame o USING (paper, model, workload)
WHERE v.paper = 'paged_attention' AND v.system = 'vLLM' AND o.system IN ('Orca (Max)', 'Orca (Pow2)')
  AND v.requests_per_s_per_gpu IS NOT NULL AND o.requests_per_s_per_gpu IS NOT NULL

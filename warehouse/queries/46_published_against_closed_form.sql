-- What does the closed form say of the GPU-hours of a published point, design by design, at the same model, GPU and contract?
SELECT m.model, m.workload, m.gpu, m.system, m.ttft_s, m.tpot_s, m.gpu_hours_per_mtok,
       max(p.gpu_hours_per_mtok) FILTER (p.design = 'unchunked') AS predicted_unchunked,
       max(p.gpu_hours_per_mtok) FILTER (p.design = 'chunked') AS predicted_chunked,
       max(p.gpu_hours_per_mtok) FILTER (p.design = 'disaggregated') AS predicted_disaggregated,
       any_value(p.calibration) AS calibration
FROM marts.serving_frontier AS m
JOIN marts.serving_frontier AS p USING (frame, gpu, ttft_s, tpot_s)
WHERE m.basis <> 'predicted' AND p.basis = 'predicted'
GROUP BY ALL
ORDER BY m.model, m.workload, m.gpu_hours_per_mtok;

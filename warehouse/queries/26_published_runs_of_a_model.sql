-- Which systems has somebody measured with a model, how fast were they, and where does it stand?
SELECT gpu_canonical AS gpu, gpus_total AS gpus, engine, precision, concurrency, round(output_tokens_per_s_per_gpu) AS output_per_gpu,
       round(ttft_p99_s, 2) AS ttft_p99_s, round(1000 * tpot_p99_s, 1) AS tpot_p99_ms, measured_on, source_locator
FROM core.operating_point
WHERE model_canonical = 'gpt-oss-120b' AND basis IN ('measured', 'peer_reviewed') AND output_tokens_per_s_per_gpu > 0
ORDER BY output_per_gpu DESC
LIMIT 20;

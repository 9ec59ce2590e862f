-- What does a decode step draw, and a token take, as the batch grows: measured, beside the share of bandwidth and of arithmetic?
SELECT step.gpu, step.model_canonical AS model, step.batch, step.context_tokens, round(1e3 * median(step.step_time_s), 2) AS step_ms,
       round(median(step.power_w)) AS power_w, round(100 * median(step.power_w) / any_value(gpu.tdp_w)) AS percent_of_limit,
       round(median(step.energy_j) / step.batch, 4) AS joules_per_token, round(median(step.sm_clock_mhz)) AS sm_clock_mhz,
       round(median((2 * shape.parameters + step.batch * step.context_tokens * shape.kv_bytes_per_token) / step.step_time_s)
             / any_value(gpu.hbm_bytes_per_s), 2) AS share_of_bandwidth,
       round(median(2 * shape.active_parameters * step.batch / step.step_time_s) / any_value(gpu.bf16_flop_per_s), 2) AS share_of_arithmetic
FROM raw.measured_step AS step
JOIN core.gpu AS gpu USING (gpu)
JOIN core.model_shape AS shape ON shape.model = step.model_canonical
WHERE step.phase = 'decode' AND step.precision = 'bf16'
GROUP BY step.gpu, step.model_canonical, step.batch, step.context_tokens
ORDER BY step.gpu, model, step.context_tokens, step.batch;

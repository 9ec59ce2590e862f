-- How many output tokens a second does a GPU give at MLPerf's contracts, predicted from other GPUs and measured?
SELECT gpu, workload, round(predicted) AS predicted, observed, interval_low, interval_high, round(error, 2) AS error, n
FROM marts.serving_validation
WHERE metric = 'output_tokens_per_s_per_gpu'
ORDER BY abs(error);

-- How fast does an API answer? Tokens per second and time to the first token of one model at each of its sellers.
SELECT provider, region, quantization, p50_tokens_per_s, p50_ttft_s, p90_ttft_s, p99_ttft_s, output_usd_per_mtok, requests
FROM core.endpoint_performance
WHERE model = 'gpt-oss-120b' AND NOT is_free
ORDER BY p50_tokens_per_s DESC;

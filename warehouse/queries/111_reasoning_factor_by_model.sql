-- R from use: how many billed output tokens stand behind one that the reader sees, by model and month?
SELECT coalesce(model, source_model) AS model, variant, month, reasoning_factor, reasoning_share, output_tokens_per_request, requests
FROM core.model_usage
WHERE reasoning_factor IS NOT NULL AND NOT is_free
ORDER BY month DESC, requests DESC
LIMIT 40;

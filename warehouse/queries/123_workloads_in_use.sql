-- Which workload should I assume? Lengths, cache and reasoning by class of model, with their spread.
SELECT workload, models, requests, input_tokens, input_tokens_low, input_tokens_high, output_tokens, output_tokens_low,
    output_tokens_high, cached_share, reasoning_share
FROM core.workload_in_use;

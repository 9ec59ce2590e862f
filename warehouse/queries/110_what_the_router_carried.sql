-- How much did the router carry in each month, and in what mix of input, cache, output and reasoning?
SELECT
    month,
    count(*) AS variants,
    sum(requests) AS requests,
    sum(prompt_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens,
    sum(prompt_tokens) / sum(requests) AS input_tokens_per_request,
    sum(completion_tokens) / sum(requests) AS output_tokens_per_request,
    sum(prompt_tokens) / sum(completion_tokens) AS input_per_output,
    median(input_per_output) FILTER (prompt_tokens > 0) AS median_input_per_output,
    sum(cached_tokens) / sum(prompt_tokens) AS cached_share,
    sum(reasoning_tokens) / sum(completion_tokens) AS reasoning_share
FROM core.model_usage
GROUP BY month
ORDER BY month;

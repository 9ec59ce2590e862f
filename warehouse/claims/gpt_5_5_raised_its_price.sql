-- Mean of input and output list price of each, at the developer.
SELECT avg(usd_per_mtok) FILTER (model = 'gpt-5.5') / avg(usd_per_mtok) FILTER (model = 'gpt-5.4') AS value, count(*) AS n
FROM core.llm_price_current
WHERE provider = 'openai' AND model IN ('gpt-5.4', 'gpt-5.5') AND is_canonical AND leg IN ('input', 'output')
  AND tier_min_tokens = 0 AND variant = 'standard' AND price_window = 'always'

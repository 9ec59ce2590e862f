-- List prices of the family.
SELECT median(usd_per_mtok) AS value, min(usd_per_mtok) AS low, max(usd_per_mtok) AS high, count(*) AS n
FROM core.llm_price_current
WHERE provider = 'openai' AND is_canonical AND regexp_full_match(model, 'gpt-5\.[45](-mini|-nano)?') AND leg = 'output'
  AND tier_min_tokens = 0 AND variant = 'standard' AND price_window = 'always'

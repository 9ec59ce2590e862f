-- How much of the input does each seller of a model read from cache, and what is paid there?
SELECT model, provider, cache_hit_rate, token_share, input_usd_per_mtok, output_usd_per_mtok, tokens
FROM core.price_paid
WHERE model IS NOT NULL AND NOT is_free AND tokens > 1e9
ORDER BY model, tokens DESC;

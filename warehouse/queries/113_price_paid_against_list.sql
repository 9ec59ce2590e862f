-- What is paid against the list price of input, and how much of the difference is the cache, how much the discount and the rest?
SELECT
    coalesce(model, source_model) AS model, provider, tokens, list_input_usd_per_mtok, input_usd_per_mtok, input_paid_over_list,
    cache_factor, input_rest_factor, stated_discount, output_paid_over_list
FROM core.price_paid
WHERE input_paid_over_list IS NOT NULL
ORDER BY tokens DESC
LIMIT 40;

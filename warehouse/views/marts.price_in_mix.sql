CREATE MACRO marts.price_in_mix(input_tokens, output_tokens, cached_share) AS TABLE
SELECT
    model,
    (input_tokens * (
        (1 - cached_share) * input_usd_per_mtok + cached_share * coalesce(cache_read_usd_per_mtok, input_usd_per_mtok)
    ) + output_tokens * output_usd_per_mtok) / (input_tokens + output_tokens) AS usd_per_mtok,
    usd_per_mtok AS usd_per_mtok_even,
    cache_price_known,
    price_basis,
    score
FROM marts.price_by_mix
WHERE mix = 'even'
ORDER BY 2, 1;

COMMENT ON MACRO TABLE marts.price_in_mix IS
'List price of every model in a mix of your own: FROM marts.price_in_mix(14594, 471, 0.72), tokens in, tokens out, share of the input read from cache.';

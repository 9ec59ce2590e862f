-- Where do tokens, requests and dollars go, by tier of the market split and month?
SELECT month, tier, variants, request_share, token_share, usd_share, usd_per_mtok, tokens_without_price
FROM marts.market_volume_by_tier
ORDER BY month, tier;

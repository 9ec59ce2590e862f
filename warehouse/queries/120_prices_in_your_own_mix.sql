-- What does a million tokens cost in a mix of your own: 2,000 tokens in, half of them from cache, 500 out?
SELECT model, usd_per_mtok, usd_per_mtok_even, cache_price_known, score
FROM marts.price_in_mix(2000, 500, 0.5)
WHERE score IS NOT NULL
ORDER BY score DESC
LIMIT 20;

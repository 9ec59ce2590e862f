-- Current offers of a model's own developer that list a reasoning price, beside their output price.
SELECT avg((abs(r.usd_per_mtok / o.usd_per_mtok - 1) < 1e-6)::INT) AS value, count(*) AS n
FROM core.llm_price_current r JOIN core.llm_price_current o USING (provider, model, tier_min_tokens, variant, price_window)
WHERE r.leg = 'reasoning' AND o.leg = 'output' AND r.first_party

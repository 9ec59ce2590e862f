-- Does the money go where the threshold says? Dollars by predicted channel and tier.
SELECT month, form, predicted_channel, tier, models, usd, usd_share, agreement_by_model, agreement_by_usd, usd_covered
FROM marts.market_split_money
ORDER BY month, form, predicted_channel, tier;

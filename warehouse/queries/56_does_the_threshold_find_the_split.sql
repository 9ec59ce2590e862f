-- Does the threshold predict which models the market treats as frontier reasoning? 26 models or so: read the interval.
SELECT as_of, form, predicted_channel, observed_tier, models, n, agreement, agreement_low, agreement_high, chance_agreement
FROM marts.market_split_confusion
ORDER BY as_of DESC, form, predicted_channel, observed_tier;

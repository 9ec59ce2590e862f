-- The published form, on the newest day.
SELECT any_value(agreement - chance_agreement) AS value, any_value(agreement_low - chance_agreement) AS low,
       any_value(agreement_high - chance_agreement) AS high, any_value(n) AS n
FROM marts.market_split_confusion
WHERE form = 'published' AND as_of = (SELECT max(as_of) FROM marts.market_split_confusion)

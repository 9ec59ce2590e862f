-- The fall over the time between the two dates, which are known by month.
SELECT by_dates_per_year AS value, by_dates_low AS low, by_dates_high AS high, dated_months AS months
FROM marts.published_price_trend WHERE trend = 'stanford_280'

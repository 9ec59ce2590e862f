-- Intervals of the refitted slopes.
SELECT avg(refit_shows_a_fall::INT) AS value, count(refit_shows_a_fall) AS n
FROM marts.published_price_trend WHERE starts_with(trend, 'epoch_')

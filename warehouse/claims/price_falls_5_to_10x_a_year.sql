-- Log-linear slope with Student's interval.
SELECT our_per_year AS value, our_low AS low, our_high AS high, our_n AS n
FROM marts.published_price_trend WHERE trend = 'price_of_progress'

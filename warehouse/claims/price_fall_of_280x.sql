-- The two printed prices, the last one within its rounding to a cent.
SELECT start_usd / end_usd AS value, start_usd / (end_usd + 0.005) AS low, start_usd / (end_usd - 0.005) AS high, start_usd, end_usd,
       0.005 / end_usd AS rounding
FROM raw.price_trend_figure WHERE trend = 'stanford_280'

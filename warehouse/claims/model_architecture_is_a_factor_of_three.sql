-- The remainder that the price of matched models leaves of the fall.
SELECT value, low, high, n FROM marts.price_compression
WHERE regexp_matches(series, '^eci [0-9.]+ gpt-4 1:1$') AND factor = 'model'

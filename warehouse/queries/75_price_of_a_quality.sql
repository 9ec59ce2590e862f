-- How fast has the price of a fixed quality fallen, what does that rest on, and how sure is it?
SELECT series, first_on, last_on, first_value, last_value, fall, n,
       factor_per_year, factor_per_year_low, factor_per_year_high, factor_per_year_low > 1 AS shows_a_fall
FROM marts.price_slope
WHERE kind = 'fixed_quality' AND scale = 'eci' AND input_per_output = 1
ORDER BY threshold;

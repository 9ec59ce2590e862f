-- Does the same model become cheaper, or does a new model bring the fall? Per year, with interval.
SELECT kind, series, n, factor_per_year, factor_per_year_low, factor_per_year_high
FROM marts.price_slope
WHERE input_per_output = 1 AND (kind IN ('matched_model', 'matched_host') OR model = 'gpt-4')
ORDER BY factor_per_year;

-- How far off is the closed form of serving: against a tool, against measured points, and in what it was fitted to?
SELECT "check", slice, metric, round(observed, 3) AS observed, unit, n, fitted
FROM marts.serving_validation
WHERE metric IN ('winner_agreement', 'rank_correlation', 'median_absolute_error')
ORDER BY "check", metric, observed;

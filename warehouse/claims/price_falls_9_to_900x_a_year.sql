-- Every published trend with its points.
SELECT median(refit_per_year) AS value, min(refit_per_year) AS low, max(refit_per_year) AS high, count(*) AS n, min(refit_n) AS few, max(refit_n) AS many
FROM marts.published_price_trend WHERE starts_with(trend, 'epoch_') AND refit_per_year IS NOT NULL

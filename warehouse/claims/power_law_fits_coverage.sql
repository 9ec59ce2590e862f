-- Greatest distance of each fit from the coverage it was fitted to.
SELECT median(value) AS value, min(value) AS low, max(value) AS high, count(*) AS n
FROM raw.test_time_figure WHERE metric = 'fit_max_abs_error'

-- The fits to the released outcomes.
SELECT median(value) AS value, min(value) AS low, max(value) AS high, count(*) AS n
FROM raw.test_time_figure WHERE metric = 'fitted_eta_at_one_sample'

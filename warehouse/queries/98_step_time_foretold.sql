-- How well do closed forms foretell the time of a prefill and a decode step that they were not calibrated on?
SELECT calibrated_on, gpu, phase, compute_bound, count(*) AS steps,
       round(100 * median(abs(bound_error)), 1) AS error_percent,
       round(100 * median(abs(step_error)), 1) AS error_percent_with_arithmetic,
       round(100 * median(abs(parts_error)), 1) AS error_percent_by_parts,
       round(100 * quantile_cont(abs(parts_error), 0.9), 1) AS p90_error_percent_by_parts
FROM marts.step_time_prediction
GROUP BY ALL
ORDER BY ALL;

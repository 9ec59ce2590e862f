-- Models and batches at peak clock; the draw of a measured step where there is one. Within 2 % of the limit is at the limit.
SELECT avg((coalesce(step_w, high_w) < 0.98 * limit_w)::INT) AS value, count(*) AS n,
       min(batch) FILTER (coalesce(step_w, high_w) >= 0.98 * limit_w) AS at_batch, count(step_w) AS measured
FROM marts.energy_per_token WHERE gpu = 'h200-sxm' AND clock_ratio = 1

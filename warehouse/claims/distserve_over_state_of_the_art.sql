-- Goodput per GPU over that of the best named baseline under the same conditions; and over any named baseline.
SELECT max(ratio_to_baseline) AS value, count(*) AS n, d.ratio AS weak, d.baseline AS weak_baseline
FROM marts.published_common_frame,
     (SELECT max(ratio) AS ratio, arg_max(baseline, ratio) AS baseline FROM marts.serving_decomposition WHERE paper = 'distserve') d
WHERE paper = 'distserve' AND system = 'DistServe' AND ratio_basis = 'computed' GROUP BY ALL

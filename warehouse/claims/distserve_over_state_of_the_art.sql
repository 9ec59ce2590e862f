-- Goodput per GPU over that of the best named baseline under the same conditions.
SELECT max(ratio_to_baseline) AS value, count(*) AS n
FROM marts.published_common_frame WHERE paper = 'distserve' AND system = 'DistServe' AND ratio_basis = 'computed'

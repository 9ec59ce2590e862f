-- How have GPU rents moved at sellers seen on both dates?
SELECT series, as_of, chain, value, usd_per_gpu_hour, n_sellers, n_matched_sellers
FROM marts.gpu_rent_index
WHERE n_matched_sellers > 0
ORDER BY gpu, term, statistic, as_of;

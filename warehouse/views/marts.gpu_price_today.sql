CREATE VIEW marts.gpu_price_today AS
SELECT
    gpu,
    max(median_usd_per_gpu_hour) FILTER (term = 'on_demand') AS on_demand_usd_per_gpu_hour,
    max(low_usd_per_gpu_hour) FILTER (term = 'on_demand') AS on_demand_low_usd_per_gpu_hour,
    max(high_usd_per_gpu_hour) FILTER (term = 'on_demand') AS on_demand_high_usd_per_gpu_hour,
    coalesce(max(providers) FILTER (term = 'on_demand'), 0) AS on_demand_sellers,
    max(median_usd_per_gpu_hour) FILTER (term = 'spot') AS spot_usd_per_gpu_hour,
    max(median_usd_per_gpu_hour) FILTER (term = 'reserved_1y') AS reserved_1y_usd_per_gpu_hour,
    max(median_usd_per_gpu_hour) FILTER (term = 'reserved_3y') AS reserved_3y_usd_per_gpu_hour,
    max(newest) AS newest
FROM core.gpu_rent_by_gpu
GROUP BY gpu
ORDER BY gpu;

COMMENT ON VIEW marts.gpu_price_today IS
'What an hour of each GPU costs today, one row per GPU: the median over sellers by term; NULL where nobody offers the term. Other terms are in core.gpu_rent_by_gpu, single offers in core.gpu_rent_current.';

COMMENT ON COLUMN marts.gpu_price_today.gpu IS 'canonical GPU, such as h100-sxm';
COMMENT ON COLUMN marts.gpu_price_today.on_demand_usd_per_gpu_hour IS 'on demand, median over sellers [usd_per_gpu_hour]';
COMMENT ON COLUMN marts.gpu_price_today.on_demand_low_usd_per_gpu_hour IS 'on demand, the cheapest seller [usd_per_gpu_hour]';
COMMENT ON COLUMN marts.gpu_price_today.on_demand_high_usd_per_gpu_hour IS 'on demand, the dearest seller [usd_per_gpu_hour]';
COMMENT ON COLUMN marts.gpu_price_today.on_demand_sellers IS 'sellers on demand [sellers]';
COMMENT ON COLUMN marts.gpu_price_today.spot_usd_per_gpu_hour IS 'spot, which may be taken back, median over sellers [usd_per_gpu_hour]';
COMMENT ON COLUMN marts.gpu_price_today.reserved_1y_usd_per_gpu_hour IS 'reserved for a year, median over sellers [usd_per_gpu_hour]';
COMMENT ON COLUMN marts.gpu_price_today.reserved_3y_usd_per_gpu_hour IS 'reserved for three years, median over sellers [usd_per_gpu_hour]';
COMMENT ON COLUMN marts.gpu_price_today.newest IS 'first day of the newest dated offer of any term';

CREATE VIEW core.gpu_rent_by_gpu AS
WITH sellers AS (
    SELECT
        gpu,
        term,
        provider,
        median(usd_per_gpu_hour) AS usd_per_gpu_hour,
        count(*) AS offers,
        count(*) FILTER (note LIKE '%its date is not known%') AS undated_offers,
        min(valid_from) FILTER (note IS NULL OR note NOT LIKE '%its date is not known%') AS oldest,
        max(valid_from) FILTER (note IS NULL OR note NOT LIKE '%its date is not known%') AS newest
    FROM core.gpu_rent
    WHERE status = 'believed' AND valid_to IS NULL AND withdrawn_on IS NULL AND gpu IS NOT NULL AND statistic = 'price'
      AND valid_from <= current_date
    GROUP BY gpu, term, provider
)
SELECT
    gpu,
    term,
    sum(offers)::BIGINT AS offers,
    count(*) AS providers,
    min(usd_per_gpu_hour) AS low_usd_per_gpu_hour,
    median(usd_per_gpu_hour) AS median_usd_per_gpu_hour,
    max(usd_per_gpu_hour) AS high_usd_per_gpu_hour,
    sum(undated_offers)::BIGINT AS undated_offers,
    min(oldest) AS oldest,
    max(newest) AS newest
FROM sellers
GROUP BY gpu, term
ORDER BY gpu, term;

COMMENT ON VIEW core.gpu_rent_by_gpu IS
'Rents per GPU and term: the median over sellers of each seller''s median offer, as in core.gpu_price, with the cheapest and the dearest seller. Excerpts of catalogues whose day is not known count and are dated by nobody (undated_offers; oldest and newest leave them out). Terms are never mixed.';

COMMENT ON COLUMN core.gpu_rent_by_gpu.offers IS 'offers in force [offers]';
COMMENT ON COLUMN core.gpu_rent_by_gpu.providers IS 'sellers with an offer in force [sellers]';
COMMENT ON COLUMN core.gpu_rent_by_gpu.low_usd_per_gpu_hour IS 'median offer of the cheapest seller [usd_per_gpu_hour]';
COMMENT ON COLUMN core.gpu_rent_by_gpu.median_usd_per_gpu_hour IS 'median over sellers of each seller''s median offer [usd_per_gpu_hour]';
COMMENT ON COLUMN core.gpu_rent_by_gpu.high_usd_per_gpu_hour IS 'median offer of the dearest seller [usd_per_gpu_hour]';
COMMENT ON COLUMN core.gpu_rent_by_gpu.undated_offers IS 'offers from excerpts whose day is not known [offers]';
COMMENT ON COLUMN core.gpu_rent_by_gpu.oldest IS 'first day of the oldest dated offer';
COMMENT ON COLUMN core.gpu_rent_by_gpu.newest IS 'first day of the newest dated offer';

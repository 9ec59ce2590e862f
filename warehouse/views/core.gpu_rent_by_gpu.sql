CREATE VIEW core.gpu_rent_by_gpu AS
SELECT
    gpu,
    term,
    count(*) AS offers,
    count(DISTINCT provider) AS providers,
    min(usd_per_gpu_hour) AS low_usd_per_gpu_hour,
    median(usd_per_gpu_hour) AS median_usd_per_gpu_hour,
    max(usd_per_gpu_hour) AS high_usd_per_gpu_hour,
    min(valid_from) AS oldest,
    max(valid_from) AS newest
FROM core.gpu_rent
WHERE status = 'believed' AND valid_to IS NULL AND withdrawn_on IS NULL AND gpu IS NOT NULL
GROUP BY gpu, term
ORDER BY gpu, term;

COMMENT ON VIEW core.gpu_rent_by_gpu IS 'Rents per GPU and term: how many offers, and their low, median and high. Terms are never mixed.';

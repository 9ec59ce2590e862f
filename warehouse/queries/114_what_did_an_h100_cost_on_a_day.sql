-- What did an hour of an H100 cost on 1 May 2026, and on 1 August? Index, posted prices and offers of a market stay apart.
SELECT as_of, provider, gpu, term, instance_type, statistic, usd_per_gpu_hour, offers, source, locator
FROM core.gpu_rent_daily
WHERE gpu = 'h100-sxm' AND as_of IN (DATE '2026-05-01', DATE '2026-08-01')
ORDER BY as_of, provider, term, statistic;

-- Which measured or published points does no other beat in cost, TTFT and TPOT, and how sure is that?
-- Compare within one frame alone: same model, workload, percentile, TPOT definition, arrivals and kind of rent.
SELECT frame, coalesce(system, source) AS system, gpu, design, ttft_s, tpot_s, latency_basis, usd_per_mtok, low_usd_per_mtok,
       high_usd_per_mtok, evidence_frontier_probability, gpu_usd_per_hour, gpu_price_on
FROM marts.serving_frontier
WHERE on_evidence_frontier AND points_in_frame > 1
ORDER BY frame, usd_per_mtok;

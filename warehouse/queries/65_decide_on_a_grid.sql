-- Which design is cheapest, and by how much, for two workloads on three GPUs, with no question to the command line?
SELECT asked.workload, found.gpu, found.winner, round(found.margin, 3) AS margin,
       round(found.chunked_usd_per_mtok, 2) AS chunked_usd_per_mtok,
       round(found.disaggregated_usd_per_mtok, 2) AS disaggregated_usd_per_mtok,
       round(found.break_even_tpot_s * 1e3, 1) AS break_even_tpot_ms, round(found.distance, 2) AS distance
FROM (VALUES ('chat', 4.0, 16.0, 1.0, 0.05), ('documents', 32.0, 4.0, 5.0, 0.025)) AS asked(workload, ratio, rate, ttft, tpot),
     (VALUES ('a100-80gb-sxm'), ('h100-sxm'), ('h200-sxm')) AS rented(gpu),
     LATERAL (FROM marts.decide_on(rented.gpu, 'llama-3.1-70b', asked.ratio, asked.rate, asked.ttft, asked.tpot)) AS found
ORDER BY asked.workload, found.gpu;

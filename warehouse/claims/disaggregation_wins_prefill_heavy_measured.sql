-- Cells of prefill-heavy work of long context that some design can serve, over GPUs and models.
SELECT sum(disaggregated_share * cells) / sum((1 - infeasible_share) * cells) AS value, sum(cells)::BIGINT AS n
FROM marts.partition_region WHERE form = 'measured' AND region = 'prefill_heavy_long_context'

-- Cells of prefill-heavy work of long context that some design can serve; the range is over pairs of GPU and model.
SELECT sum(disaggregated_share * cells) / sum((1 - infeasible_share) * cells) AS value,
       min(disaggregated_share / (1 - infeasible_share)) FILTER (infeasible_share < 1) AS low,
       max(disaggregated_share / (1 - infeasible_share)) FILTER (infeasible_share < 1) AS high, sum(cells)::BIGINT AS n,
       count(DISTINCT gpu) AS gpus, count(DISTINCT model) AS models
FROM marts.partition_region WHERE form = 'measured' AND region = 'prefill_heavy_long_context'

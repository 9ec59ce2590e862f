-- Cells of decode-heavy work of short context that some design can serve; the range is over pairs of GPU and model.
SELECT sum(chunked_share * cells) / sum((1 - infeasible_share) * cells) AS value,
       min(chunked_share / (1 - infeasible_share)) FILTER (infeasible_share < 1) AS low,
       max(chunked_share / (1 - infeasible_share)) FILTER (infeasible_share < 1) AS high, sum(cells)::BIGINT AS n,
       count(DISTINCT gpu) AS gpus, count(DISTINCT model) AS models
FROM marts.partition_region WHERE form = 'measured' AND region = 'decode_heavy_short_context'

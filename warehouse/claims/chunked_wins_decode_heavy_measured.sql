-- Cells of decode-heavy work of short context that some design can serve, over GPUs and models.
SELECT sum(chunked_share * cells) / sum((1 - infeasible_share) * cells) AS value, sum(cells)::BIGINT AS n
FROM marts.partition_region WHERE form = 'measured' AND region = 'decode_heavy_short_context'

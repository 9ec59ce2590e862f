-- Bounds on TPOT that both kinds of decode-heavy work of short context meet as measured.
SELECT sum(chunked_share * cells) / sum(cells) AS value, sum(cells)::BIGINT AS n
FROM marts.partition_region WHERE form = 'measured_pairs' AND region = 'decode_heavy_short_context'

-- Bounds on TPOT that both kinds of such work meet as measured; the range is over the pairs of systems.
SELECT sum(chunked_share * cells) / sum(cells) AS value, min(chunked_share) AS low, max(chunked_share) AS high, sum(cells)::BIGINT AS n
FROM marts.partition_region WHERE form = 'measured_pairs' AND region = 'decode_heavy_short_context'

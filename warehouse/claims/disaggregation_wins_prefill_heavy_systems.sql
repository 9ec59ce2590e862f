-- Bounds on TPOT that both kinds of such work meet as measured; the range is over the pairs of systems.
SELECT sum(disaggregated_share * cells) / sum(cells) AS value, min(disaggregated_share) AS low, max(disaggregated_share) AS high, sum(cells)::BIGINT AS n
FROM marts.partition_region WHERE form = 'measured_pairs' AND region = 'prefill_heavy_long_context'

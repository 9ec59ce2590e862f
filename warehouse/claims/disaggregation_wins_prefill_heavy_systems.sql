-- Bounds on TPOT that both kinds of prefill-heavy work of long context meet as measured.
SELECT sum(disaggregated_share * cells) / sum(cells) AS value, sum(cells)::BIGINT AS n
FROM marts.partition_region WHERE form = 'measured_pairs' AND region = 'prefill_heavy_long_context'

-- Pairs that can be served at all.
SELECT avg((least(crosses_kv_share, crosses_tpot_share, crosses_input_per_output_share, crosses_arrival_rate_share) > 0)::INT) AS value,
       count(*) AS n
FROM marts.partition_summary WHERE setting = 'plain' AND infeasible_share < 1

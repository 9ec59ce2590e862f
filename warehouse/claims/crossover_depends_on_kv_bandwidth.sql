-- Pairs that can be served at all.
SELECT avg((crosses_kv_share > 0)::INT) AS value, count(*) AS n
FROM marts.partition_summary WHERE setting = 'plain' AND infeasible_share < 1

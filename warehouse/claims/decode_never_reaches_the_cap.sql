-- Models and batches at peak clock.
SELECT avg((high_w < limit_w * (1 - 1e-9))::INT) AS value, count(*) AS n
FROM marts.energy_per_token WHERE gpu = 'h200-sxm' AND clock_ratio = 1

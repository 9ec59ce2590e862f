-- Clocks that keep 99 % of the throughput.
SELECT max(1 - joules_ratio) AS value, count(*) AS n
FROM marts.energy_per_token WHERE gpu = 'h200-sxm' AND throughput_ratio >= 0.99 AND clock_ratio < 1

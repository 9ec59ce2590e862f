-- All clocks below the peak that keep 99 % of the throughput.
SELECT median(saved_share_of_rent) AS value, min(saved_share_of_rent) AS low, max(saved_share_of_rent) AS high, count(*) AS n
FROM marts.energy_per_token WHERE gpu = 'h200-sxm' AND throughput_ratio >= 0.99 AND clock_ratio < 1

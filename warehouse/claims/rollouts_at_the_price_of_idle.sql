-- Over the printed gains, with the rent of today.
SELECT median(rollout_usd_per_gpu_hour / idle_usd_per_gpu_hour) AS value, min(rollout_usd_per_gpu_hour / idle_usd_per_gpu_hour) AS low,
       max(rollout_usd_per_gpu_hour / idle_usd_per_gpu_hour) AS high, count(DISTINCT figure) AS n
FROM marts.harvested_slack

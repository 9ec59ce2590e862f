-- One more hour while idle hours are left costs an idle hour; beside it what all rollout hours cost on average at the gains in
-- rollout time (version 2, over elastic resources).
SELECT avg(idle_usd_per_gpu_hour / idle_usd_per_gpu_hour) AS value,
       min(rollout_usd_per_gpu_hour / idle_usd_per_gpu_hour) AS average_low,
       max(rollout_usd_per_gpu_hour / idle_usd_per_gpu_hour) AS average_high
FROM marts.harvested_slack WHERE gain_of = 'rollouts'

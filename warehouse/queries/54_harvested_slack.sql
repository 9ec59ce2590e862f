-- What do rollouts on idle serving GPUs cost, and which channel do they favour?
SELECT version, gain_of, throughput_gain, channel, rollout_share,
    round(rollout_usd_per_gpu_hour, 3) AS rollout_usd_per_gpu_hour, round(rollout_cost_factor, 3) AS rollout_cost_factor, training_usd, training_usd_after, threshold, threshold_after, favours
FROM marts.harvested_slack
ORDER BY throughput_gain, channel, rollout_share;

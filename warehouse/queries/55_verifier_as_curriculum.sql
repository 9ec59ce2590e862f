-- Is a verifier worth building, and does it help to use it in three places?
SELECT system, benchmark, verifier, uses, accuracy_before, accuracy_after, setter_reward_before, setter_reward_after,
    usd_per_correct_before, usd_per_correct_after, cost_factor, flipping_fixed_usd
FROM marts.verifier_curriculum
ORDER BY benchmark, system, uses;

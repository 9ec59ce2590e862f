-- Does training with a verifier pay, after how many answers, and what does one cost that also selects what is served?
SELECT system, benchmark, verifier, uses, accuracy_before, accuracy_after, setter_reward_before, setter_reward_after,
    usd_per_correct_before, usd_per_correct_after, cost_factor, answers_to_pay_back,
    flipping_fixed_usd
FROM marts.verifier_curriculum
ORDER BY benchmark, system, uses;

-- How many tokens does reasoning bill per answer token, and what does the answer cost?
SELECT system, model, accuracy, n, reasoning_multiplier, reasoning_multiplier_low, reasoning_multiplier_high,
    reasoning_multiplier_n, reasoning_multiplier_basis, corrected_usd_per_correct
FROM marts.cost_per_correct
WHERE reasoning_multiplier IS NOT NULL AND output_tokens_per_question IS NOT NULL
ORDER BY reasoning_multiplier;

-- What does a correct answer cost, and how sure is that?
SELECT benchmark, basis, system, n, accuracy, accuracy_low, accuracy_high,
       corrected_usd_per_correct, corrected_usd_per_correct_low, corrected_usd_per_correct_high
FROM marts.cost_per_correct
WHERE NOT superseded
ORDER BY benchmark, corrected_usd_per_correct;

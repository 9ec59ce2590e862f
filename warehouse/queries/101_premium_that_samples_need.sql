-- What would routing have to save for more samples to leave the cost of a correct answer where it was, and what is there?
SELECT benchmark, system, samples_from, samples_to, n, status, round(samples_cost_factor, 2) AS samples_cost_factor,
       round(premium_needed, 3) AS premium_needed, round(premium_needed_low, 3) AS premium_needed_low,
       round(premium_needed_high, 3) AS premium_needed_high, pattern, saved_unit, round(premium, 3) AS premium,
       round(composed_cost_factor, 2) AS composed_cost_factor, pair_certain, eta_unchanged, eta_unchanged_reason
FROM marts.threshold_composition
WHERE paper <> 'aider_polyglot' AND samples_cost_factor > 1
ORDER BY premium_needed, system, pattern, saved_unit;

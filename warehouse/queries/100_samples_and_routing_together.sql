-- On how many measured arcs do more samples and routing together lower the cost of a correct answer, by benchmark and pattern?
SELECT benchmark, pattern, saved_unit, evidence, round(any_value(premium), 3) AS premium, count(*) AS arcs,
       count(*) FILTER (samples_cost_factor < 1) AS samples_pay_alone,
       count(*) FILTER (pair_lowers_cost) AS pair_lowers_cost,
       count(*) FILTER (pair_lowers_cost AND pair_certain) AS surely,
       round(median(premium_needed), 3) AS median_premium_needed, eta_unchanged
FROM marts.threshold_composition
GROUP BY ALL
ORDER BY benchmark, pattern, saved_unit;

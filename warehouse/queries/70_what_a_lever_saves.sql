-- What does each lever save at each operating point, per token, per correct answer and in energy?
SELECT operating_point, levers, round(usd_per_mtok, 3) AS usd_per_mtok, round(usd_ratio, 2) AS usd_ratio,
       round(usd_per_correct_ratio, 2) AS usd_per_correct_ratio, round(joules_ratio, 2) AS joules_ratio, obstacle
FROM marts.lever_effects
WHERE n_levers <= 1
ORDER BY operating_point, usd_ratio;

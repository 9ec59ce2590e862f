-- Which levers save the same cost twice, and which help each other?
SELECT operating_point, levers, round(usd_ratio, 2) AS together, round(product_usd_ratio, 2) AS product_of_single_effects,
       round(usd_interaction, 2) AS interaction
FROM marts.lever_effects
WHERE abs(usd_interaction - 1) > 0.1
ORDER BY usd_interaction DESC;

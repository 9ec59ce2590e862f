-- What did the volume of a model do after a dated change of its list price, beside models whose price stood still?
SELECT model, changed_on, price_ratio, volume_ratio, expected_ratio, expected_low, expected_high, controls, elasticity,
    elasticity_low, elasticity_high, came_in_first_month
FROM marts.price_cut_event
ORDER BY changed_on, model;

-- What changes when prices are blended as tokens are really bought, and not one in, one out?
SELECT mix, models, median_ratio_to_even, pairs_in_other_order, frontier_entered, frontier_left, tiers_changed
FROM marts.mix_effect
ORDER BY pairs_in_other_order;

-- The body's own figure for the design at the same power and cost.
SELECT ratio_to_baseline AS value FROM marts.published_common_frame WHERE paper = 'splitwise' AND figure = 'iso_power_gain'

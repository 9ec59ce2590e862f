-- Did hardware get cheaper? Times cheaper to serve since the first day of the rental index; below 1 it became dearer.
SELECT first_on, last_on, gpus, cells, factor, factor_low, factor_high, direction
FROM marts.hardware_factor_by_day
ORDER BY last_on;

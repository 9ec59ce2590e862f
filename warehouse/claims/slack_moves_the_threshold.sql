-- Printed gains, channels and shares of rollouts, on the calibration arc of R1.
SELECT avg((abs(threshold_after / threshold - 1) >= 0.01)::INT) AS value, count(*) AS n FROM marts.harvested_slack

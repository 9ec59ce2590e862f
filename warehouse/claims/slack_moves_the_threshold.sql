-- Gains of whole steps, channels and shares of rollouts, on the calibration arc of R1. It follows from the threshold.
SELECT avg((abs(threshold_after / threshold - 1) >= 0.01)::INT) AS value FROM marts.harvested_slack

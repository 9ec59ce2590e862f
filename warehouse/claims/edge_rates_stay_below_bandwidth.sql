-- Devices with a measured rate.
SELECT avg(plausible::INT) AS value, count(plausible) AS n FROM core.edge_device

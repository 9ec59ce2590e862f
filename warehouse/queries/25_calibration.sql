-- What does each engine take per layer and pass beside memory and arithmetic, how sure is that, and of which runs and versions?
SELECT engine, family, round(1e6 * layer_s, 1) AS layer_us, round(1e6 * layer_low_s, 1) AS low_us, round(1e6 * layer_high_s, 1) AS high_us,
       groups, runs, most_gpus, measured_from, measured_to, version_first, version_last, engine_versions
FROM marts.calibration
ORDER BY runs DESC, engine, family;

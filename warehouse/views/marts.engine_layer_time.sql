CREATE VIEW marts.engine_layer_time AS SELECT * FROM marts.calibration;

COMMENT ON VIEW marts.engine_layer_time IS 'marts.calibration under the name it had until version 0.1; it ends with the next version.';

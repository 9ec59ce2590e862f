CREATE VIEW raw.step_time AS SELECT * FROM raw.measured_step;

COMMENT ON VIEW raw.step_time IS 'raw.measured_step under the name it had until version 0.1; it ends with the next version.';

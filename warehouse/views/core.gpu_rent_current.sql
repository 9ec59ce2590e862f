CREATE VIEW core.gpu_rent_current AS
SELECT * EXCLUDE (missing_since, end_confirmed_on, withdrawn_on)
FROM core.gpu_rent
WHERE status = 'believed' AND valid_to IS NULL AND withdrawn_on IS NULL AND valid_from <= current_date;

COMMENT ON VIEW core.gpu_rent_current IS 'GPU rents that have not been replaced or withdrawn; valid_from says how old each one is.';

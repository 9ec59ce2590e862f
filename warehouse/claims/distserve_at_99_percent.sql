-- The targets the notebook prints.
SELECT median(recomputed_value) AS value, min(recomputed_low) AS low, max(recomputed_high) AS high, count(*) AS n
FROM meta.published_rederivation WHERE "check" LIKE 'distserve_target_99_%'

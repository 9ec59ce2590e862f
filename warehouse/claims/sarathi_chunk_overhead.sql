-- All prompt lengths of the artifact at a chunk of 512.
SELECT median(recomputed_value) AS value, min(recomputed_value) AS low, max(recomputed_value) AS high, count(*) AS n,
       regexp_extract(arg_min("check", recomputed_value), '([0-9]+)_512$', 1) AS prompt
FROM meta.published_rederivation WHERE regexp_full_match("check", 'sarathi_overhead_[0-9]+_512')

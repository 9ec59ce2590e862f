-- Best disaggregated over best aggregated throughput, by the lengths in the contract's name.
SELECT avg((observed > 1)::INT) AS value, count(*) AS n FROM marts.serving_validation
WHERE "check" = 'independent_tool' AND metric = 'throughput_ratio'
  AND regexp_extract(slice, '^([0-9]+) in', 1)::DOUBLE / regexp_extract(slice, ' ([0-9]+) out', 1)::DOUBLE >= 8

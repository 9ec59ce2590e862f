-- The upper end that the second version prints, to one digit.
SELECT max(throughput_gain) AS value, max(throughput_gain) - 0.05 AS low, max(throughput_gain) + 0.05 AS high
FROM marts.harvested_slack WHERE ends_with(version, 'v2')

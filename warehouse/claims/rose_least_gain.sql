-- The lower end that the second version prints, to one digit.
SELECT min(throughput_gain) AS value, min(throughput_gain) - 0.05 AS low, min(throughput_gain) + 0.05 AS high
FROM marts.harvested_slack WHERE ends_with(version, 'v2')

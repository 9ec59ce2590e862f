-- The two systems with a printed ratio.
SELECT median(published_gain) AS value, min(published_gain) AS low, max(published_gain) AS high, count(*) AS n
FROM marts.lever_anchor WHERE figure IN ('mamba_throughput', 'jamba_throughput')

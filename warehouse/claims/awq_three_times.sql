-- Printed decode steps of the devices named.
SELECT median(published_gain) AS value, min(published_gain) AS low, max(published_gain) AS high, count(*) AS n
FROM marts.lever_anchor WHERE lever = 'awq' AND regexp_matches(figure, '^tinychat_.*(4090|orin)') AND quantity = 'decode step of one sequence'

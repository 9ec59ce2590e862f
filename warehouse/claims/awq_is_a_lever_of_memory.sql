-- Prefill at a history of 1,024 tokens.
SELECT median(published_gain) AS value, min(published_gain) AS low, max(published_gain) AS high, count(*) AS n
FROM marts.lever_anchor WHERE lever = 'awq' AND quantity = 'compute-bound prefill'

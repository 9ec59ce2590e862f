-- Printed decode steps of the devices named.
SELECT median(published_gain) FILTER (of_claim) AS value, min(published_gain) FILTER (of_claim) AS low,
       max(published_gain) FILTER (of_claim) AS high, count(*) FILTER (of_claim) AS n,
       max(published_gain) FILTER (figure = 'tinychat_a100_awq') AS a100, max(predicted_gain) AS bound
FROM (SELECT *, regexp_matches(figure, '^tinychat_.*(4090|orin)') AS of_claim FROM marts.lever_anchor
      WHERE lever = 'awq' AND quantity = 'decode step of one sequence')

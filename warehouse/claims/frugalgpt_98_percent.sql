-- Saved share at equal accuracy, best of the three data sets.
SELECT max(premium) AS value, count(*) AS n, min(premium) AS least, median(premium) AS middle
FROM marts.routing_premium WHERE system = 'FrugalGPT'

-- Speed-up from the saved share: 1 / (1 - premium).
SELECT median(1 / (1 - premium)) AS value, min(1 / (1 - premium)) AS low, max(1 / (1 - premium)) AS high, count(*) AS n
FROM marts.routing_premium WHERE system = 'Speculative decoding (Leviathan et al.)'

-- The draft cost ratio at which the formula gives the printed speed-up, at its greatest.
SELECT avg((implied_high >= 0)::INT) AS value, count(*) AS n
FROM marts.routing_premium WHERE system = 'Speculative decoding (Leviathan et al.)' AND implied_high IS NOT NULL

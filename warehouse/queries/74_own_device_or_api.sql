-- How much must an own device be in use before it beats the API, for one user and for eight at a time?
SELECT device, model, sequences, api_basis, round(tokens_per_s) AS tokens_per_s, round(electricity_usd_per_mtok, 3) AS electricity_usd_per_mtok,
       round(api_usd_per_mtok, 2) AS api_usd_per_mtok, round(break_even_utilisation, 2) AS break_even_utilisation, never
FROM marts.edge_economics
WHERE usd_per_kwh = 0.15 AND utilisation = 1
ORDER BY model, device, sequences, api_basis;

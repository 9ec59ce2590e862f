-- At the highest utilisation of the scenario.
SELECT avg((usd_over_api < 1)::INT) AS value, count(*) AS n FROM marts.edge_economics
WHERE utilisation = (SELECT max(utilisation) FROM marts.edge_economics) AND usd_over_api IS NOT NULL

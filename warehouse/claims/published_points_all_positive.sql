-- Every believed operating point, the negative controls among them.
SELECT avg((sign = 'positive')::INT) AS value, count(*) AS n FROM marts.routing_premium

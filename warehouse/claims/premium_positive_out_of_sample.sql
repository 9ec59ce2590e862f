-- Points judged on other items than those that chose the threshold.
SELECT avg((sign = 'positive')::INT) AS value, count(*) AS n FROM marts.routing_premium WHERE evidence = 'out_of_sample'

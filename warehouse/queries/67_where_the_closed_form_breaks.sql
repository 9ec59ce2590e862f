-- By how much does the closed form promise too many requests, as lengths spread and arrivals come in bursts?
SELECT workload,
       round(max(error) FILTER (architecture = 'unchunked' AND slice LIKE '%plain%'), 2) AS unchunked,
       round(max(error) FILTER (architecture = 'chunked' AND slice LIKE '%plain%'), 2) AS chunked,
       round(max(error) FILTER (architecture = 'chunked' AND slice LIKE '%places kept free'), 2) AS chunked_with_free_places,
       round(max(error) FILTER (architecture = 'disaggregated'), 2) AS disaggregated
FROM marts.serving_validation
WHERE metric = 'requests_per_s'
GROUP BY workload
ORDER BY disaggregated, workload;

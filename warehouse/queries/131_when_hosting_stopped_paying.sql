-- When did hosting a model start or stop to pay? Prices and rents of each month, step times of today.
SELECT model, workload, as_of, CASE WHEN pays THEN 'starts to pay' ELSE 'stops paying' END AS hosting,
    seller, usd_per_request, gpu, usd_per_gpu_hour, round(break_even_per_day) AS break_even_per_day
FROM marts.host_or_call_by_month
QUALIFY pays <> lag(pays) OVER (PARTITION BY model, workload ORDER BY as_of)
ORDER BY model, workload, as_of;

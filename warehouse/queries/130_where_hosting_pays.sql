-- Of the open models that somebody sells: where does hosting pay, and from how many requests a day?
SELECT model, workload, gpu, seller, round(break_even_per_day) AS break_even_per_day,
    round(break_even_low_per_day) AS at_best, round(break_even_high_per_day) AS at_worst, round(least_utilisation, 2) AS least_utilisation, basis
FROM marts.host_or_call
WHERE requests_per_day = 100000 AND break_even_per_day IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY model, workload ORDER BY break_even_per_day) = 1
ORDER BY break_even_per_day
LIMIT 40;

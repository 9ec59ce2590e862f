-- What would a quarter of a million requests a day cost, hosted on each GPU and called?
SELECT gpu, engine, instances * gpus_per_instance AS gpus, round(hosted_usd_per_month) AS hosted, round(called_usd_per_month) AS called,
    seller, hosting_is_cheaper, round(break_even_per_day) AS break_even_per_day
FROM marts.host_or_call_on('llama-3.3-70b', 250000, workload := 'agent')
ORDER BY hosted;

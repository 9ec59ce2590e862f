-- Billed over visible output tokens of each model and month at one router; means of few requests are left out.
SELECT max(reasoning_factor) AS value, count(*) AS n, arg_max(model, reasoning_factor) AS model
FROM marts.reasoning_factor
WHERE requests >= 10000

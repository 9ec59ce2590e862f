-- First against second try, which runs only after a failure; a run that solves nothing in the first has no elasticity.
SELECT avg(more_samples_lower_cost::INT) AS value, count(*) AS n, count(*) FILTER (more_samples_lower_cost) AS held,
       avg(eta_samples) AS mean, avg(eta_by_nominal_samples) AS nominal_mean, count(*) FILTER (eta_by_nominal_samples > 1) AS nominal_held
FROM marts.inference_frontier WHERE paper = 'aider_polyglot' AND samples_from = 1

-- First against second try; a run that solves nothing in the first has no elasticity.
SELECT avg(more_samples_lower_cost::INT) AS value, count(*) AS n
FROM marts.inference_frontier WHERE paper = 'aider_polyglot' AND samples_from = 1

-- Pairs of runs of one benchmark whose accuracies differ by at most two points.
SELECT max(a.output_tokens_per_question / b.output_tokens_per_question) AS value, count(*) AS n
FROM marts.cost_per_correct a JOIN marts.cost_per_correct b
  ON a.benchmark = b.benchmark AND abs(a.accuracy - b.accuracy) <= 0.02
WHERE a.output_tokens_per_question > b.output_tokens_per_question AND a.basis = 'published' AND b.basis = 'published'

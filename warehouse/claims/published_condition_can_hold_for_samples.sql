-- Arcs of independent samples on the coverage surface and arcs of attempts that see the test output, in any benchmark.
WITH arc AS (
  SELECT 'coverage' AS kind, eta_samples FROM marts.alpha_surface WHERE eta_samples IS NOT NULL
  UNION ALL
  SELECT DISTINCT ON (paper, curve, system, samples_from) 'feedback', eta_samples FROM marts.inference_frontier
  WHERE paper = 'aider_polyglot' AND eta_samples IS NOT NULL
)
SELECT count(*) FILTER (eta_samples > 1 + 1e-6) AS value, count(*) AS n,
       count(*) FILTER (kind = 'coverage' AND eta_samples > 1 + 1e-6) AS independent, count(*) FILTER (kind = 'coverage') AS independent_n,
       count(*) FILTER (kind = 'feedback' AND eta_samples > 1 + 1e-6) AS feedback, count(*) FILTER (kind = 'feedback') AS feedback_n
FROM arc

-- Arcs of the coverage surface, whose samples are independent and whose verifier makes no mistake.
SELECT count(*) FILTER (eta_samples > 1 + 1e-6) AS value, count(eta_samples) AS n FROM marts.alpha_surface

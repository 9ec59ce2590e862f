-- Gains whose set-up is known well enough to predict the design's part.
SELECT median(log_share) AS value, min(log_share) AS low, max(log_share) AS high, count(*) AS n
FROM marts.serving_decomposition WHERE paper = 'distserve' AND factor = 'design' AND log_share IS NOT NULL

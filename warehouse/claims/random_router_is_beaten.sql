-- Points with a quality to compare, or whose figure is quality against random.
SELECT avg((coalesce(quality_kappa, CASE sign WHEN 'negative' THEN -1 ELSE 1 END) > 0)::INT) AS value, count(*) AS n
FROM marts.routing_premium
WHERE pattern IN ('router', 'cascade') AND (quality_kappa IS NOT NULL OR saved_unit = 'quality')

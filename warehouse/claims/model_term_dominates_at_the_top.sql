-- The series of the highest threshold.
SELECT ln(m.value) / ln(t.value) AS value, m.n
FROM marts.price_compression m JOIN marts.price_compression t USING (series) JOIN marts.price_slope s USING (series)
WHERE m.factor = 'model' AND t.factor = 'total' AND s.scale = 'eci' ORDER BY s.threshold DESC LIMIT 1

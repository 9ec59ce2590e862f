-- The five cheapest models that score at least as well as GPT-4o.
SELECT model, cpm_usd_per_mtok, score, on_frontier
FROM marts.price_frontier
WHERE scale = 'eci_linked'
  AND score >= (SELECT score FROM marts.price_frontier WHERE model = 'gpt-4o' AND scale = 'eci_linked')
ORDER BY cpm_usd_per_mtok
LIMIT 5;

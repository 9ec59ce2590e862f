-- The price that held that day.
SELECT max(usd_per_mtok) AS value, count(*) AS n FROM core.llm_price
WHERE provider = 'openai' AND model = 'gpt-4' AND leg = 'output' AND variant = 'standard'
  AND valid_from <= DATE '2023-03-31' AND coalesce(valid_to, DATE '9999-12-31') > DATE '2023-03-31'

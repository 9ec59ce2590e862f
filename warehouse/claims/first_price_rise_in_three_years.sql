-- Launch price (mean of input and output, standard offer) of each main GPT model beside that of the main model before it.
WITH offer AS (
  SELECT model, release_date, leg, usd_per_mtok, valid_from FROM core.llm_price JOIN core.model USING (model)
  WHERE provider = 'openai' AND regexp_full_match(model, 'gpt-([4-9]|[1-9][0-9])(\.[0-9]+)?(o|-turbo)?') AND leg IN ('input', 'output')
    AND tier_min_tokens = 0 AND variant = 'standard' AND price_window = 'always' AND release_date IS NOT NULL
), launch AS (
  SELECT model, release_date, (avg(first) FILTER (leg = 'input') + avg(first) FILTER (leg = 'output')) / 2 AS cpm
  FROM (SELECT model, release_date, leg, arg_min(usd_per_mtok, valid_from) AS first FROM offer GROUP BY ALL) GROUP BY ALL
), step AS (
  SELECT *, lag(cpm) OVER (ORDER BY release_date, model) AS cpm_before, lag(model) OVER (ORDER BY release_date, model) AS before
  FROM launch QUALIFY release_date BETWEEN DATE '2023-04-23' AND DATE '2026-04-22'
)
SELECT count(*) FILTER (cpm > cpm_before) AS value, count(*) AS n,
       string_agg(format('{} over {}', model, before), ', ' ORDER BY release_date) FILTER (cpm > cpm_before) AS rises
FROM step

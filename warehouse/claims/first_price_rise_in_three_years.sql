-- Launch price (mean of input and output) of each main GPT model beside that of the main model released before it.
WITH launch AS (
  SELECT model, release_date, avg(usd_per_mtok) AS cpm
  FROM core.llm_price JOIN core.model USING (model)
  WHERE provider = 'openai' AND regexp_full_match(model, 'gpt-[0-9.]+(o|-turbo)?') AND leg IN ('input', 'output')
    AND tier_min_tokens = 0 AND variant = 'standard' AND price_window = 'always' AND release_date IS NOT NULL
    AND (valid_from = (SELECT min(valid_from) FROM core.llm_price first WHERE first.model = llm_price.model
                       AND first.provider = 'openai' AND first.leg = llm_price.leg))
  GROUP BY ALL
), step AS (SELECT *, lag(cpm) OVER (ORDER BY release_date, model) AS cpm_before FROM launch)
SELECT count(*) FILTER (cpm > cpm_before AND release_date BETWEEN DATE '2023-04-23' AND DATE '2026-04-22') AS value,
       count(*) FILTER (release_date BETWEEN DATE '2023-04-23' AND DATE '2026-04-22') AS n
FROM step

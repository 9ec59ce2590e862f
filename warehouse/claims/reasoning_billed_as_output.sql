-- Current offers of a model's own developer that list a reasoning price, beside their output price; and reasoning models of
-- developers that list none.
WITH listed AS (
  SELECT r.provider, r.model, abs(r.usd_per_mtok / o.usd_per_mtok - 1) < 1e-6 AS same
  FROM core.llm_price_current r JOIN core.llm_price_current o USING (provider, model, tier_min_tokens, variant, price_window)
  WHERE r.leg = 'reasoning' AND o.leg = 'output' AND r.first_party
), unlisted AS (
  SELECT DISTINCT provider, model FROM core.llm_price_current p JOIN core.model m USING (model)
  WHERE p.first_party AND p.leg = 'output' AND m.reasoning AND model NOT IN (SELECT model FROM listed)
)
SELECT avg(same::INT) AS value, count(*) AS n, (SELECT string_agg(DISTINCT provider, ', ' ORDER BY provider) FROM listed) AS developers,
       (SELECT string_agg(DISTINCT model, ', ' ORDER BY model) FROM listed WHERE NOT same) AS exceptions,
       (SELECT count(*) FROM unlisted) AS unlisted, (SELECT count(DISTINCT provider) FROM unlisted) AS unlisted_developers
FROM listed

-- Which models cost more for long prompts, from where, and how much more?
SELECT long.provider, long.model, long.tier_min_tokens, base.usd_per_mtok AS base_usd_per_mtok,
       long.usd_per_mtok AS long_usd_per_mtok, round(long.usd_per_mtok / base.usd_per_mtok, 2) AS ratio
FROM core.llm_price_current AS long
JOIN core.llm_price_current AS base
  ON base.provider = long.provider AND base.model = long.model AND base.leg = long.leg AND base.variant = long.variant
 AND base.price_window = long.price_window AND base.tier_min_tokens = 0
WHERE long.tier_min_tokens > 0 AND long.leg = 'input' AND long.variant = 'standard' AND long.is_canonical
ORDER BY ratio DESC, long.provider, long.model
LIMIT 20;

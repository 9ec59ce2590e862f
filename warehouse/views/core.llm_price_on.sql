CREATE MACRO core.llm_price_on(day) AS TABLE
SELECT * EXCLUDE (missing_since, end_confirmed_on, withdrawn_on)
FROM core.llm_price
WHERE coalesce(valid_from, observed_at::DATE) <= day
  AND (valid_to IS NULL OR valid_to > day)
  AND withdrawn_on IS NULL
  AND status IN ('believed', 'reverted');

COMMENT ON MACRO TABLE core.llm_price_on IS
'Every price known to have held on a day: FROM core.llm_price_on(DATE ''2025-01-01'').';

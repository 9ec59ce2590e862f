CREATE VIEW core.llm_price_change AS
WITH steps AS (
    SELECT
        *,
        lag(usd_per_mtok) OVER series AS old_usd_per_mtok
    FROM core.llm_price
    WHERE withdrawn_on IS NULL AND status NOT IN ('held', 'dismissed')
    WINDOW series AS (
        PARTITION BY source, source_provider, source_model, leg, tier_min_tokens, variant, price_window
        ORDER BY valid_from NULLS FIRST
    )
)
SELECT
    provider,
    coalesce(model, source_model) AS model,
    leg,
    tier_min_tokens,
    variant,
    valid_from AS changed_on,
    date_basis,
    old_usd_per_mtok,
    usd_per_mtok AS new_usd_per_mtok,
    usd_per_mtok / old_usd_per_mtok AS ratio,
    status,
    source
FROM steps
WHERE old_usd_per_mtok IS NOT NULL AND usd_per_mtok <> old_usd_per_mtok
ORDER BY changed_on DESC, model, leg;

COMMENT ON VIEW core.llm_price_change IS
'Every change of a price: what it was, what it became, when, and whose date that is. Future dates are announced changes. Changes whose status is reverted or corrected came and went.';

COMMENT ON COLUMN core.llm_price_change.model IS 'canonical model, or the source''s own id where the model is not mapped';
COMMENT ON COLUMN core.llm_price_change.changed_on IS 'first day of the new price; see date_basis';
COMMENT ON COLUMN core.llm_price_change.old_usd_per_mtok IS 'price before [usd_per_mtok]';
COMMENT ON COLUMN core.llm_price_change.new_usd_per_mtok IS 'price from that day on [usd_per_mtok]';
COMMENT ON COLUMN core.llm_price_change.ratio IS 'new over old price: below 1 it became cheaper';

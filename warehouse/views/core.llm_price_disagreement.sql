CREATE VIEW core.llm_price_disagreement AS
SELECT
    provider,
    model,
    leg,
    tier_min_tokens,
    variant,
    price_window,
    n_sources,
    agreement,
    low_usd_per_mtok,
    high_usd_per_mtok,
    high_usd_per_mtok / low_usd_per_mtok AS spread,
    decided_by,
    quotes
FROM core.llm_price_current
WHERE agreement < 1
ORDER BY spread DESC, provider, model;

COMMENT ON VIEW core.llm_price_disagreement IS 'Legs on which the sources disagree, widest spread first, with what each source says.';

COMMENT ON COLUMN core.llm_price_disagreement.spread IS 'highest over lowest price among the sources';

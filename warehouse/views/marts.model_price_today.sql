CREATE VIEW marts.model_price_today AS
WITH best AS (
    SELECT
        wide.*,
        model.developer,
        model.open_weights,
        wide.provider = model.developer AS first_party,
        count(*) OVER (PARTITION BY wide.model) AS sellers
    FROM core.llm_price_wide AS wide
    INNER JOIN core.model AS model USING (model)
    WHERE wide.input_usd_per_mtok IS NOT NULL AND wide.output_usd_per_mtok IS NOT NULL
)
SELECT
    model,
    developer,
    provider,
    first_party,
    input_usd_per_mtok,
    cache_read_usd_per_mtok,
    output_usd_per_mtok,
    batch_input_usd_per_mtok,
    batch_output_usd_per_mtok,
    sellers,
    open_weights,
    evidence_on,
    is_stale,
    source
FROM best
QUALIFY row_number() OVER (PARTITION BY model ORDER BY first_party DESC, input_usd_per_mtok + output_usd_per_mtok, provider) = 1
ORDER BY model;

COMMENT ON VIEW marts.model_price_today IS
'What tokens of each model cost today, one row per model: at its developer, else at the cheapest seller (first_party false). Medians over hosts are in marts.price_frontier, every seller in core.llm_price_wide, past days in core.llm_price_on(day).';

COMMENT ON COLUMN marts.model_price_today.provider IS 'seller whose prices the row has';
COMMENT ON COLUMN marts.model_price_today.first_party IS 'the seller is the developer of the model; else it is the cheapest of all';
COMMENT ON COLUMN marts.model_price_today.sellers IS 'sellers that price both input and output [sellers]';

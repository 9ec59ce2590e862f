CREATE VIEW core.unmapped_model_name AS
SELECT
    regexp_replace(lower(alias.source_model), '^.*/', '') AS name,
    count(DISTINCT alias.source) AS n_sources,
    count(DISTINCT alias.provider) AS n_sellers,
    count(*) AS prices,
    string_agg(DISTINCT alias.provider, ', ' ORDER BY alias.provider) AS sellers,
    min(alias.source_model) AS example
FROM core.llm_price AS price
JOIN core.model_alias AS alias USING (source, source_provider, source_model)
WHERE
    price.status = 'believed'
    AND price.valid_to IS NULL
    AND price.withdrawn_on IS NULL
    AND alias.model IS NULL
    AND alias.matched_by IS NULL
    AND coalesce(price.mode, 'chat') IN ('chat', 'completion', 'responses')
GROUP BY name
ORDER BY n_sources DESC, n_sellers DESC, prices DESC, name;

COMMENT ON VIEW core.unmapped_model_name IS
'Names of chat models that stand in no map, most listed first, with the sellers that list them: what core.model lacks.';

COMMENT ON COLUMN core.unmapped_model_name.name IS 'the source''s id in small letters, without its owner';
COMMENT ON COLUMN core.unmapped_model_name.n_sources IS 'sources that list it [sources]';
COMMENT ON COLUMN core.unmapped_model_name.n_sellers IS 'sellers that list it [sellers]';
COMMENT ON COLUMN core.unmapped_model_name.prices IS 'prices in force under that name [prices]';
COMMENT ON COLUMN core.unmapped_model_name.sellers IS 'these sellers';
COMMENT ON COLUMN core.unmapped_model_name.example IS 'one id as a source writes it';

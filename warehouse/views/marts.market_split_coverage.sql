CREATE VIEW marts.market_split_coverage AS
SELECT
    as_of,
    rule_version,
    count(*) AS priced_models,
    count(*) FILTER (WHERE tier <> 'unclassified') AS classified,
    round(count(*) FILTER (WHERE tier <> 'unclassified') / count(*), 3) AS share_classified,
    count(score) AS rated,
    count(*) FILTER (WHERE score_basis = 'linked') AS rated_by_link,
    count(*) FILTER (WHERE tier = 'frontier_reasoning') AS frontier_reasoning,
    count(*) FILTER (WHERE NOT holds_over_interval) AS tier_may_move,
    max(capability_as_of) AS newest_score_on
FROM marts.market_split
GROUP BY as_of, rule_version
ORDER BY as_of;

COMMENT ON VIEW marts.market_split_coverage IS
'How many priced models the market split classifies each day, how many of their scores are chained, and how many tiers rest on one.';

COMMENT ON COLUMN marts.market_split_coverage.priced_models IS 'models with a price that day [models]';
COMMENT ON COLUMN marts.market_split_coverage.classified IS 'of these in one of the two tiers [models]';
COMMENT ON COLUMN marts.market_split_coverage.share_classified IS 'share of them';
COMMENT ON COLUMN marts.market_split_coverage.rated IS 'models with a score [models]';
COMMENT ON COLUMN marts.market_split_coverage.rated_by_link IS 'of these with a score chained from another scale [models]';
COMMENT ON COLUMN marts.market_split_coverage.frontier_reasoning IS 'models of that tier [models]';
COMMENT ON COLUMN marts.market_split_coverage.tier_may_move IS 'models whose tier another score within its interval would change [models]';
COMMENT ON COLUMN marts.market_split_coverage.newest_score_on IS 'day of the newest score';

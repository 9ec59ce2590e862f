-- Price, $ per task and capability of frontier reasoning models and commodities, quarter by quarter: does the gap close?
SELECT as_of, basis, tier, models, cpm_usd_per_mtok, score, runs, usd_per_task
FROM marts.market_split_by_tier
WHERE tier <> 'unclassified'
ORDER BY as_of, tier;

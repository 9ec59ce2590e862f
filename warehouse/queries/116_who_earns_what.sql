-- Who earns what? Dollars and tokens of each developer's models at one router in its last whole month.
SELECT
    author,
    sum(usd) AS usd,
    sum(usd) / sum(sum(usd)) OVER () AS usd_share,
    sum(tokens) / sum(sum(tokens)) OVER () AS token_share,
    sum(usd) / sum(tokens) FILTER (usd IS NOT NULL) * 1e6 AS usd_per_mtok
FROM marts.market_volume
WHERE NOT is_free AND month = (SELECT month FROM core.workload_in_use WHERE workload = 'market')
GROUP BY author
ORDER BY usd DESC NULLS LAST
LIMIT 20;

CREATE VIEW meta.source_age AS
SELECT
    source,
    arg_max(transport, last_checked_at) AS transport,
    max(last_checked_at) AS last_checked_at,
    max(coalesce(published_at, fetched_at)) AS evidence_from,
    count(*) AS documents,
    date_diff('day', max(coalesce(published_at, last_checked_at)), now()) AS age_days,
    30 AS limit_days,
    date_diff('day', max(coalesce(published_at, last_checked_at)), now()) > 30 AS is_stale
FROM meta.snapshot
WHERE outcome = 'new'
GROUP BY source
ORDER BY evidence_from;

COMMENT ON VIEW meta.source_age IS
'When each source was last checked, from when its newest document is, and whether nobody has said it for more than 30 days.';

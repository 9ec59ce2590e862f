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

COMMENT ON COLUMN meta.source_age.source IS 'source, see meta.snapshot';
COMMENT ON COLUMN meta.source_age.transport IS 'how its newest document was had: http, registry, installed, seed, ...';
COMMENT ON COLUMN meta.source_age.last_checked_at IS 'when it was last asked';
COMMENT ON COLUMN meta.source_age.evidence_from IS 'day of its newest document, as published, else as fetched';
COMMENT ON COLUMN meta.source_age.documents IS 'documents kept of it [documents]';
COMMENT ON COLUMN meta.source_age.age_days IS 'days since its newest evidence [days]';
COMMENT ON COLUMN meta.source_age.limit_days IS 'days after which it counts as stale [days]';
COMMENT ON COLUMN meta.source_age.is_stale IS 'its newest evidence is older than that';

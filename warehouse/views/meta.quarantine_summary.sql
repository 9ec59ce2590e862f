CREATE VIEW meta.quarantine_summary AS
SELECT
    table_name,
    source,
    severity,
    rule,
    any_value(reason) AS reason,
    sum(n_rows)::BIGINT AS rows,
    max(last_seen_at) AS last_seen_at
FROM meta.quarantine
GROUP BY table_name, source, severity, rule
ORDER BY rows DESC;

COMMENT ON VIEW meta.quarantine_summary IS 'How many rows each rule has refused, by table and source.';

COMMENT ON COLUMN meta.quarantine_summary.reason IS 'the rule in words, with one example';
COMMENT ON COLUMN meta.quarantine_summary.rows IS 'rows refused by it [rows]';
COMMENT ON COLUMN meta.quarantine_summary.last_seen_at IS 'when such a row was last seen';

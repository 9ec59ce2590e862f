-- When did a point enter, leave or change on the frontier, and at which rent?
SELECT refreshed_at, frame, point, is_present, on_frontier, usd_per_mtok,
       usd_per_mtok / lag(usd_per_mtok) OVER (PARTITION BY frame, point ORDER BY refreshed_at) - 1 AS change
FROM marts.serving_frontier_history
WHERE basis <> 'predicted'
QUALIFY on_frontier OR lag(on_frontier) OVER (PARTITION BY frame, point ORDER BY refreshed_at)
ORDER BY refreshed_at DESC, frame, usd_per_mtok;

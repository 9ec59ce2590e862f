-- Where is the frontier a close race: points whose place a rent or a spread of submissions could change?
SELECT frame, point, gpu, usd_per_mtok, low_usd_per_mtok, high_usd_per_mtok, on_frontier, frontier_probability
FROM marts.serving_frontier
WHERE basis <> 'predicted' AND evidence_frontier_probability BETWEEN .05 AND .95
ORDER BY abs(evidence_frontier_probability - .5), frame, usd_per_mtok;

-- How often has each claim changed since it was first judged, and when last?
SELECT claim_id, count(*) AS states, count(*) FILTER (verdict <> verdict_before) AS verdicts_changed,
       max(refreshed_at) AS last_change, arg_max(verdict, refreshed_at) AS verdict
FROM meta.claims_history GROUP BY claim_id ORDER BY verdicts_changed DESC, states DESC, claim_id;

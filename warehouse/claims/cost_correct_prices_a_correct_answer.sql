-- Cost-correct as published over the cost that also asks the accepted answer to be right: this is the verifier's precision.
SELECT median(published_usd_per_accepted_mtok / corrected_usd_per_correct_mtok) AS value,
       min(published_usd_per_accepted_mtok / corrected_usd_per_correct_mtok) AS low,
       max(published_usd_per_accepted_mtok / corrected_usd_per_correct_mtok) AS high,
       count(*) AS n
FROM marts.verifier_value WHERE precision < 1 AND published_usd_per_accepted_mtok IS NOT NULL

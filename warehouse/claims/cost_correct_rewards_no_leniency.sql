-- Verifiers at which leniency lowers the published cost although a correct answer costs the same. It follows from the formula.
SELECT avg((lenient_published_usd_per_accepted_mtok < published_usd_per_accepted_mtok
            AND lenient_corrected_usd_per_correct_mtok >= corrected_usd_per_correct_mtok * (1 - 1e-9))::INT) AS value
FROM marts.verifier_value WHERE precision < 1 AND published_usd_per_accepted_mtok IS NOT NULL

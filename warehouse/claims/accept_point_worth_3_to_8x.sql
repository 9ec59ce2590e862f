-- Measured verifiers and systems inside the stated range of accept rates.
SELECT median(accept_point_worth) AS value, min(accept_point_worth) AS low, max(accept_point_worth) AS high, count(*) AS n
FROM marts.verifier_value WHERE accept_rate BETWEEN 0.2 AND 0.7

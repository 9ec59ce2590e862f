-- Measured verifiers and systems inside the stated range of accept rates; and where the published range of the ratio would hold.
SELECT median(accept_point_worth) AS value, min(accept_point_worth) AS low, max(accept_point_worth) AS high, count(*) AS n,
       1 / (0.2::DOUBLE + 0.01) AS at_least_rate, 1 / (0.7::DOUBLE + 0.01) AS at_most_rate,
       1 / 8::DOUBLE - 0.01 AS from_rate, 1 / 3::DOUBLE - 0.01 AS to_rate
FROM marts.verifier_value WHERE accept_rate BETWEEN 0.2 AND 0.7

-- Three uses share the verifier.
SELECT avg((cost_factor < 1)::INT) AS value, count(*) AS n FROM marts.verifier_curriculum WHERE uses = 3

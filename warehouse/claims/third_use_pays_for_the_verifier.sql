-- Solvers trained with the verifier: it is paid for once, not on each answer served.
SELECT avg((cost_factor < 1)::INT) AS value, count(*) AS n, min(cost_factor) AS least, max(cost_factor) AS most,
       min(answers_to_pay_back) AS few, max(answers_to_pay_back) AS many
FROM marts.verifier_curriculum WHERE uses = 1 AND verifier <> 'none'

-- Cells of the break-even surface that are prefill-heavy and that some design can serve.
SELECT avg((winner = 'disaggregated')::INT) AS value, count(*) AS n
FROM marts.break_even_surface WHERE setting = 'plain' AND input_per_output >= 8 AND winner <> 'none'

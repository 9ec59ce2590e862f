-- Cells of the break-even surface that are decode-heavy and that some design can serve.
SELECT avg((winner = 'chunked')::INT) AS value, count(*) AS n
FROM marts.break_even_surface WHERE setting = 'plain' AND input_per_output <= 2 AND winner <> 'none'

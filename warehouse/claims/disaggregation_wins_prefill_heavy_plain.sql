-- Cells of the break-even surface that are prefill-heavy and that some design can serve; the range is over pairs of GPU and model.
WITH pair AS (
  SELECT gpu, model, count(*) AS cells, count(*) FILTER (winner = 'disaggregated') AS won
  FROM marts.break_even_surface WHERE setting = 'plain' AND input_per_output >= 8 AND winner <> 'none' GROUP BY ALL
)
SELECT sum(won) / sum(cells) AS value, min(won / cells) AS low, max(won / cells) AS high, sum(cells)::BIGINT AS n FROM pair

-- What does each refinement of the closed forms do by itself? Shares are of the reference contracts it has a row for.
SELECT setting, refinement, any_value(basis) AS basis,
       round(median(value), 3) AS value,
       round(median(chunked_change), 3) AS chunked_change,
       round(median(disaggregated_change), 3) AS disaggregated_change,
       round(avg(CAST(turns_winner AND with_winner = 'disaggregated' AS INTEGER)), 3) AS turns_to_disaggregation,
       round(avg(CAST(turns_winner AND without_winner = 'disaggregated' AS INTEGER)), 3) AS turns_from_it,
       count(*) AS contracts
FROM marts.serving_refinements
GROUP BY setting, refinement
ORDER BY setting, turns_to_disaggregation + turns_from_it DESC, refinement;

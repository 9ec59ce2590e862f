-- How many samples are worth most when a wrong answer costs something, and what is lost by drawing all that were measured?
SELECT system, benchmark, n, answer, round(false_positive_rate, 3) AS false_positive_rate, false_positive_basis,
       false_positive_penalty, value_in_samples, best_samples, best_samples_low, best_samples_high,
       round(net_value, 3) AS net_value, round(net_value_low, 3) AS net_value_low, round(net_value_high, 3) AS net_value_high,
       round(loss_at_most_samples, 3) AS loss_at_most_samples, round(break_even_penalty, 2) AS break_even_penalty,
       published_best_samples, samples_error, round(net_value_error, 3) AS net_value_error, published_holds
FROM marts.best_samples
WHERE paper IN ('stroebl', 'brown')
ORDER BY paper DESC, system, false_positive_basis, false_positive_rate, value_in_samples, false_positive_penalty;

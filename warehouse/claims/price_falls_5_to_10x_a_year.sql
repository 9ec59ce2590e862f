-- Log-linear slope with Student's interval; and the same in other mixes of input and output.
WITH mix AS (
  SELECT s.series, s.input_per_output, s.factor_per_year, s.factor_per_year_low, s.factor_per_year_high
  FROM marts.price_slope s JOIN marts.published_price_trend t
    ON split_part(s.series, ' ', 1) = split_part(t.our_series, ' ', 1) AND split_part(s.series, ' ', 2) = split_part(t.our_series, ' ', 2)
   AND split_part(s.series, ' ', 3) = split_part(t.our_series, ' ', 3)
  WHERE t.trend = 'price_of_progress' AND s.series <> t.our_series
)
SELECT our_per_year AS value, our_low AS low, our_high AS high, our_n AS n,
       (SELECT string_agg(format('{:.1f} ({:.1f} to {:.1f}) at {:.0f}:1', factor_per_year, factor_per_year_low, factor_per_year_high, input_per_output), ', '
                          ORDER BY input_per_output) FROM mix) AS mixes,
       (SELECT CASE WHEN bool_and(factor_per_year_low < 5 AND factor_per_year_high > 10) THEN 'no verdict changes' ELSE 'the verdict changes' END FROM mix) AS said
FROM marts.published_price_trend WHERE trend = 'price_of_progress'

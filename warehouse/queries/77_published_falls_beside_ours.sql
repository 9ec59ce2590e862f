-- What do published falls come to by their own dates and points, and what does our history say?
SELECT trend, n, stated_factor_per_year, by_text_per_year, by_dates_per_year,
       refit_n, refit_low, refit_high, our_basis, our_n, our_per_year, our_low, our_high, within_ours
FROM marts.published_price_trend
ORDER BY refit_n NULLS FIRST, trend;

-- Which models does no other beat in price and capability today?
SELECT model, developer, score, score_low, score_high, score_basis, cpm_usd_per_mtok, input_usd_per_mtok, output_usd_per_mtok, price_basis
FROM marts.price_frontier
WHERE on_frontier AND scale = 'eci_linked'
ORDER BY cpm_usd_per_mtok;

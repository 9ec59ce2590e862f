-- How concentrated is the market, and who came and went?
SELECT month, "of", measure, n, herfindahl, largest, largest_share, top5_share, entered, entered_share, "left", left_share
FROM marts.market_concentration
ORDER BY "of", measure, month;

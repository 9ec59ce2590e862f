-- In which contracts does an independent tool name another winner, where its own margin exceeds 5 %?
SELECT slice, round(predicted, 3) AS our_ratio, round(observed, 3) AS tools_ratio
FROM marts.serving_validation
WHERE metric = 'throughput_ratio' AND (predicted > 1) <> (observed > 1) AND abs(ln(observed)) > ln(1.05)
ORDER BY abs(ln(observed)) DESC;

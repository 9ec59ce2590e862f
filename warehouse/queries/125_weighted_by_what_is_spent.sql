-- How did list prices move, weighted by what is spent, beside every model alike and beside the matched-model index?
SELECT v.as_of, v.value AS weighted, v.unweighted, v.models_matched, v.weight_covered, m.value AS matched_model_index
FROM marts.volume_weighted_index v
LEFT JOIN marts.price_index m ON m.as_of = v.as_of AND m.kind = 'matched_model' AND m.input_per_output = 1
ORDER BY v.as_of;

-- Which file states the shape that a model is priced with, and who says otherwise?
SELECT model, parameters, active_parameters, kv_bytes_per_token, status, locator, disagreements
FROM core.model_shape
ORDER BY model;

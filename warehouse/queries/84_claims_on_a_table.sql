-- Which claims hang on which table?
SELECT unnest(string_split(inputs, ', ')) AS table_name, count(*) AS claims, string_agg(claim_id, ', ' ORDER BY claim_id) AS claim_ids
FROM meta.claims GROUP BY table_name ORDER BY claims DESC, table_name;

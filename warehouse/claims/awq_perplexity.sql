-- The independent table, with what two digits after the point allow.
SELECT max(value) FILTER (figure LIKE '%awq') AS value, max(value) FILTER (figure LIKE '%awq') - 0.005 AS low,
       max(value) FILTER (figure LIKE '%awq') + 0.005 AS high, max(value) FILTER (figure LIKE '%fp16') AS fp16,
       max(value) FILTER (figure LIKE '%gptq') AS gptq
FROM core.cited_figure WHERE starts_with(figure, 'perplexity_llama_2_7b_')

-- Both solvers as printed; integration is the mean of the three sets of the small one.
WITH printed AS (SELECT system, benchmark, value FROM raw.test_time_figure WHERE paper = 'vhg' AND metric = 'accuracy')
SELECT max(value) FILTER (system = 'Qwen3-14B + VHG' AND benchmark = 'general_maths')
         - max(value) FILTER (system = 'Qwen3-4B-Base + VHG' AND benchmark = 'general_maths') AS value,
       max(value) FILTER (system = 'Qwen3-14B + VHG' AND benchmark = 'integrals') AS integrals,
       avg(value) FILTER (system = 'Qwen3-4B-Base + VHG' AND benchmark NOT LIKE 'general%') AS small_integrals
FROM printed

-- Printed GPU-hours of R1-Zero, the SFT data and R1 at the rent that V3's printed bill implies.
SELECT sum(value) FILTER (system IN ('R1-Zero', 'R1 SFT data creation', 'R1') AND metric = 'training_gpu_hours')
       * max(value) FILTER (system = 'V3 total' AND metric = 'training_usd')
       / max(value) FILTER (system = 'V3 total' AND metric = 'training_gpu_hours') AS value, 3 AS n
FROM raw.test_time_figure WHERE paper = 'deepseek_r1'

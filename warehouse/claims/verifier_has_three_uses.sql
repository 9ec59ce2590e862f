-- Uses of a verifier with a printed accuracy: picking among samples, rewarding training, setting the curriculum.
WITH use AS (
  SELECT CASE WHEN metric = 'accuracy_by_verifier' THEN 'selection'
              WHEN paper = 'vhg' AND system LIKE '% + VHG' THEN 'curriculum'
              WHEN paper = 'deepseek_r1' AND system = 'DeepSeek-R1-Zero' THEN 'reward' END AS use, paper
  FROM raw.test_time_figure
)
SELECT count(DISTINCT use) AS value, count(DISTINCT paper) AS n, string_agg(DISTINCT use, ', ' ORDER BY use) AS uses
FROM use WHERE use IS NOT NULL

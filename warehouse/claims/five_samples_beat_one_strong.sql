-- Runs on SWE-bench Lite; only where the five samples also solve more.
SELECT median(o.total_cost_usd / d.total_cost_usd) AS value, min(o.total_cost_usd / d.total_cost_usd) AS low,
       max(o.total_cost_usd / d.total_cost_usd) AS high, count(*) AS n
FROM marts.cost_per_correct o JOIN marts.cost_per_correct d USING (benchmark, paper)
WHERE paper = 'brown' AND d.system = 'DeepSeek-Coder-V2-Instruct' AND d.samples = 5
  AND o.samples = 1 AND d.accuracy > o.accuracy

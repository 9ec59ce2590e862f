-- Cost with router and samples over the product of their single effects: the measured pair and number of samples farthest from 1.
WITH wide AS (
  SELECT system, samples, max(value) FILTER (metric = 'joint_over_product') AS ratio, any_value(n) AS problems,
         max(value) FILTER (metric = 'joint_over_product_low') AS least, max(value) FILTER (metric = 'joint_over_product_high') AS most
  FROM raw.test_time_figure WHERE paper = 'pythia_routing' GROUP BY ALL
), factor AS (
  SELECT *, greatest(ratio, 1 / ratio) AS off, CASE WHEN ratio < 1 THEN 1 / most ELSE least END AS off_low,
         CASE WHEN ratio < 1 THEN 1 / least ELSE most END AS off_high
  FROM wide
)
SELECT arg_max(off, off) AS value, arg_max(off_low, off) AS low, arg_max(off_high, off) AS high, arg_max(problems, off) AS n,
       min(ratio) AS less, max(ratio) AS more, count(*) AS pairs
FROM factor

-- Every arc with a training elasticity, at each dollar ratio of the scenario; the range is over the dollar ratios.
WITH ratio AS (
  SELECT dollar_ratio, avg((published_verdict = lagrangian_verdict)::INT) AS same, count(*) AS arcs
  FROM marts.inference_frontier WHERE published_verdict IS NOT NULL GROUP BY ALL
)
SELECT avg(same) AS value, min(same) AS low, max(same) AS high, sum(arcs)::BIGINT AS n FROM ratio

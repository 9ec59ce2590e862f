-- Pairs of rows of the board whose scores differ by at most two points; below a tenth solved two points are no likeness.
SELECT max(a.usd_per_task / b.usd_per_task) AS value, count(DISTINCT (a.system, a.configuration)) AS n,
       arg_max(a.system, a.usd_per_task / b.usd_per_task) AS dear, arg_max(a.accuracy, a.usd_per_task / b.usd_per_task) AS dear_share,
       arg_max(a.usd_per_task, a.usd_per_task / b.usd_per_task) AS dear_usd,
       arg_max(b.system, a.usd_per_task / b.usd_per_task) AS cheap, arg_max(b.accuracy, a.usd_per_task / b.usd_per_task) AS cheap_share,
       arg_max(b.usd_per_task, a.usd_per_task / b.usd_per_task) AS cheap_usd,
       max(a.usd_per_task / b.usd_per_task) FILTER (abs(a.accuracy - b.accuracy) <= 0.01) AS within_a_point
FROM marts.cost_per_correct a JOIN marts.cost_per_correct b
  ON a.benchmark = b.benchmark AND abs(a.accuracy - b.accuracy) <= 0.02
WHERE a.benchmark = 'arc_agi_2_semi_private' AND a.usd_per_task > b.usd_per_task AND least(a.accuracy, b.accuracy) >= 0.1
  AND a.basis = 'published' AND b.basis = 'published' AND NOT a.superseded AND NOT b.superseded

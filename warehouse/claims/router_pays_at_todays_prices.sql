-- Prompt length as router at four fifths of the quality gap, out of sample at the paper's prices, moved by what the replayed
-- curve moved since: at the newest list prices of both models, over both benchmarks. The interval spans both intervals.
WITH curve AS (
  SELECT benchmark, priced_by, as_of, premium, cost_share,
         (quality - min(quality) OVER b) / (max(quality) FILTER (strong_share = 1) OVER b - min(quality) FILTER (strong_share = 0) OVER b) AS kept
  FROM marts.router_replay WHERE policy = 'prompt_length'
  WINDOW b AS (PARTITION BY benchmark, priced_by, as_of)
), at_fifths AS (
  SELECT benchmark, priced_by, as_of, arg_min(premium, cost_share) AS premium FROM curve WHERE kept >= 0.8 GROUP BY ALL
), moved AS (
  SELECT benchmark, arg_max(premium, as_of) FILTER (priced_by = 'warehouse') - max(premium) FILTER (priced_by = 'paper') AS by_prices
  FROM at_fifths GROUP BY benchmark
)
SELECT avg(p.premium + by_prices) AS value, min(p.premium_low + by_prices) AS low, max(p.premium_high + by_prices) AS high, count(*) AS n
FROM moved JOIN marts.routing_premium p ON p.figure = 'prompt_length_' || benchmark || '_80'

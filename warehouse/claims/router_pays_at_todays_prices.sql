-- The cheapest point of the router's curve that keeps 80 % of the gap, at the newest list prices of both models.
WITH curve AS (
  SELECT *, (quality - min(quality) OVER ()) / (max(quality) FILTER (strong_share = 1) OVER () - min(quality) FILTER (strong_share = 0) OVER ()) AS kept
  FROM marts.router_replay
  WHERE benchmark = 'gsm8k' AND policy = 'prompt_length' AND priced_by = 'warehouse'
    AND as_of = (SELECT max(as_of) FROM marts.router_replay WHERE benchmark = 'gsm8k')
)
SELECT arg_min(premium, cost_share) AS value, max(n) AS n FROM curve WHERE kept >= 0.8

"""Closed forms worth calling by name: NumPy arrays in, arrays out, arguments by keyword with the unit in the name.

Each says in its docstring what it takes, what it returns and where the formula is from; all are listed in docs/formulas.md.
Large grids are welcome: break-evens and frontiers switch to compiled kernels by themselves.
"""

from economics.numeric.pareto import frontier_probability, non_dominated
from economics.numeric.statistics import log_ratio_interval, wilson_interval
from economics.prices.index import blended_usd_per_mtok, chained_jevons, cheapest_at_or_above, log_linear_slope
from economics.routing.premium import (
    RoutingTerms,
    compose_with_inference_channel,
    cost_terms,
    premium,
    routing_pays,
    safety_factor,
)
from economics.serving.break_even import BreakEvens, break_evens
from economics.serving.cost import cost
from economics.serving.queueing import utilisation_cap, wait_tail
from economics.serving.symbols import Contract, Efficiency, Hardware, Model, Refinements, RequestShape, Scenario, Transfer
from economics.test_time.cost_per_correct import (
    cost_correct_published_usd_per_mtok,
    cost_per_correct_answer_usd,
    worth_of_accept_points,
)
from economics.test_time.coverage import arc_elasticity, beta_coverage, pass_at_k
from economics.test_time.inference_frontier import best_samples, conditions
from economics.test_time.verifier import accept_rate, best_of_samples, both_accept_bounds

__all__ = [
    "BreakEvens",
    "Contract",
    "Efficiency",
    "Hardware",
    "Model",
    "Refinements",
    "RequestShape",
    "RoutingTerms",
    "Scenario",
    "Transfer",
    "accept_rate",
    "arc_elasticity",
    "best_of_samples",
    "best_samples",
    "beta_coverage",
    "blended_usd_per_mtok",
    "both_accept_bounds",
    "break_evens",
    "chained_jevons",
    "cheapest_at_or_above",
    "compose_with_inference_channel",
    "conditions",
    "cost",
    "cost_correct_published_usd_per_mtok",
    "cost_per_correct_answer_usd",
    "cost_terms",
    "frontier_probability",
    "log_linear_slope",
    "log_ratio_interval",
    "non_dominated",
    "pass_at_k",
    "premium",
    "routing_pays",
    "safety_factor",
    "utilisation_cap",
    "wait_tail",
    "wilson_interval",
    "worth_of_accept_points",
]

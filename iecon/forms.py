"""Closed forms worth calling by name: NumPy arrays in, arrays out, arguments by keyword with the unit in the name.

Each says in its docstring what it takes, what it returns and where the formula is from; all are listed in docs/formulas.md.
Large grids are welcome: break-evens and frontiers switch to compiled kernels by themselves.
"""

from economics.numeric.draws import quantile_bands
from economics.numeric.pareto import frontier_probability, non_dominated
from economics.numeric.statistics import log_ratio_interval, wilson_interval
from economics.prices.index import blended_usd_per_mtok, chained_jevons, cheapest_at_or_above, log_linear_slope
from economics.routing.patterns import (
    adaptive_voting,
    complexity_aware,
    early_exit,
    lockstep_acceptance,
    verification_saturation,
)
from economics.routing.premium import (
    RoutingTerms,
    compose_with_inference_channel,
    cost_terms,
    premium,
    routing_pays,
    safety_factor,
)
from economics.serving.break_even import (
    BreakEvens,
    break_even_arrival_rate,
    break_even_ratio,
    break_even_tpot,
    break_evens,
)
from economics.serving.cost import cost
from economics.serving.queueing import utilisation_cap, wait_tail
from economics.serving.symbols import Contract, Efficiency, Hardware, Model, Refinements, RequestShape, Scenario, Transfer
from economics.test_time.beta_binomial import fit_beta_binomial
from economics.test_time.cost_per_correct import (
    accept_rate_of_worth,
    cost_correct_published_usd_per_mtok,
    cost_per_accepted_answer_usd,
    cost_per_correct_answer_usd,
    worth_of_accept_points,
)
from economics.test_time.coverage import (
    arc_elasticities_by_item,
    arc_elasticity,
    beta_coverage,
    beta_coverage_elasticity,
    fit_power_law,
    pass_at_k,
    power_law_coverage,
    power_law_elasticity,
)
from economics.test_time.inference_frontier import best_samples, conditions
from economics.test_time.verifier import accept_rate, best_of_samples, both_accept_bounds, mean_attempts, procurement_probes

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
    "accept_rate_of_worth",
    "adaptive_voting",
    "arc_elasticities_by_item",
    "arc_elasticity",
    "best_of_samples",
    "best_samples",
    "beta_coverage",
    "beta_coverage_elasticity",
    "blended_usd_per_mtok",
    "both_accept_bounds",
    "break_even_arrival_rate",
    "break_even_ratio",
    "break_even_tpot",
    "break_evens",
    "chained_jevons",
    "cheapest_at_or_above",
    "complexity_aware",
    "compose_with_inference_channel",
    "conditions",
    "cost",
    "cost_correct_published_usd_per_mtok",
    "cost_per_accepted_answer_usd",
    "cost_per_correct_answer_usd",
    "cost_terms",
    "early_exit",
    "fit_beta_binomial",
    "fit_power_law",
    "frontier_probability",
    "lockstep_acceptance",
    "log_linear_slope",
    "log_ratio_interval",
    "mean_attempts",
    "non_dominated",
    "pass_at_k",
    "power_law_coverage",
    "power_law_elasticity",
    "premium",
    "procurement_probes",
    "quantile_bands",
    "routing_pays",
    "safety_factor",
    "utilisation_cap",
    "verification_saturation",
    "wait_tail",
    "wilson_interval",
    "worth_of_accept_points",
]

"""All table contracts by name: the one list from which DDL, comments, dictionary and asset keys are made."""

from schemas import quarantine
from schemas.base import Table, table_name
from schemas.evidence import claims, provenance, published
from schemas.levers import effects as levers
from schemas.prices import capability, gpu_rents, llm_price_seed, llm_prices, market_split, models
from schemas.prices import compression as price_compression
from schemas.prices import frontier as price_frontier
from schemas.prices import index as price_index
from schemas.routing import premium as routing
from schemas.routing import threshold_composition
from schemas.serving import benchmark_outputs, calibration, request_traces
from schemas.serving import decomposition as serving_decomposition
from schemas.serving import frontier as serving_frontier
from schemas.serving import measured_steps as step_times
from schemas.serving import surface as serving
from schemas.serving import validation as serving_validation
from schemas.test_time import best_samples, cost_per_correct, inference_frontier, verifier_value

_MODULES = (
    provenance,
    quarantine,
    llm_prices,
    llm_price_seed,
    gpu_rents,
    models,
    capability,
    price_frontier,
    cost_per_correct,
    price_index,
    price_compression,
    inference_frontier,
    best_samples,
    verifier_value,
    market_split,
    benchmark_outputs,
    request_traces,
    published,
    serving,
    serving_decomposition,
    serving_frontier,
    serving_validation,
    calibration,
    step_times,
    routing,
    threshold_composition,
    levers,
    claims,
)

LAYERS = ("raw.", "core.", "marts.", "meta.")


_OF_A_FILE = (benchmark_outputs.RequestTrace,)
"""Contracts of single files, which are no tables of the warehouse."""


def _contracts() -> dict[str, type[Table]]:
    found: dict[str, type[Table]] = {}
    for module in _MODULES:
        for item in vars(module).values():
            if item in _OF_A_FILE:
                continue
            if isinstance(item, type) and issubclass(item, Table) and table_name(item).startswith(LAYERS):
                bare = table_name(item).split(".")[1]
                assert found.get(bare, item) is item, f"two tables are called {bare}"
                found[bare] = item
    return found


TABLES = _contracts()
"""Contract of every table by its bare name; bare names are unique over layers."""

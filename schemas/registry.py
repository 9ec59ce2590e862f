"""All table contracts by name: the one list from which DDL, comments, dictionary and asset keys are made."""

from schemas import (
    benchmark_outputs,
    best_samples,
    calibration,
    capability,
    claims,
    cost_per_correct,
    gpu_rents,
    inference_frontier,
    levers,
    llm_price_seed,
    llm_prices,
    market_split,
    models,
    price_compression,
    price_frontier,
    price_index,
    provenance,
    published,
    quarantine,
    request_traces,
    routing,
    serving,
    serving_decomposition,
    serving_frontier,
    serving_validation,
    step_times,
    threshold_composition,
    verifier_value,
)
from schemas.base import Table, table_name

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

"""Where the steps of a run execute: Dagster's own executors, chosen by one setting.

Every table is a Parquet file of its own and documents are handed on by content hash, so steps in other processes, or on other
machines over a shared data folder, give the same tables. `iecon refresh` always runs in its own process.
"""

import importlib
import os
from typing import Any

import dagster as dg
import yaml

EXECUTOR_VARIABLE = "ECONOMICS_EXECUTOR"

EXECUTORS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "in_process": ("dagster", "in_process_executor", {}),
    # A fork server that has imported what is slow to import, but not polars, whose threads do not survive a fork.
    "multiprocess": (
        "dagster",
        "multiprocess_executor",
        {"start_method": {"forkserver": {"preload_modules": ["dagster", "scipy.optimize"]}}},
    ),
    "dask": ("dagster_dask", "dask_executor", {"cluster": {"local": {}}}),
}
"""By name: module, executor, and its configuration where the user states none."""


def chosen_executor() -> dg.ExecutorDefinition:
    """The executor that ECONOMICS_EXECUTOR names, in this process when it is not set.

    The setting is a name (`multiprocess`), or YAML of a name and that executor's own configuration
    (`{dask: {cluster: {existing: {address: "tcp://10.0.0.5:8786"}}}}`). Raises ValueError for another name, and for one whose
    package is not installed.
    """
    stated = yaml.safe_load(os.environ.get(EXECUTOR_VARIABLE) or "in_process")
    name, config = next(iter(stated.items())) if isinstance(stated, dict) and len(stated) == 1 else (stated, None)
    if name not in EXECUTORS:
        raise ValueError(f"{EXECUTOR_VARIABLE}: {name} is none of {', '.join(EXECUTORS)}")
    module, attribute, default = EXECUTORS[name]
    try:
        executor: dg.ExecutorDefinition = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        raise ValueError(f"{EXECUTOR_VARIABLE}: {name} needs `pip install inference-economics[{name}]`") from None
    return executor.configured(default if config is None else config, name=name)

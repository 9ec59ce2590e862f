"""`iecon refresh`: fetch, recompute, publish."""

import os
import sys
from contextlib import suppress
from enum import StrEnum
from typing import Annotated

import typer

from pipelines.console import out


class Group(StrEnum):
    """Groups that can be refreshed alone."""

    LLM_PRICES = "llm_prices"
    GPU_RENTS = "gpu_rents"
    CAPABILITY = "capability"
    BENCHMARK_OUTPUTS = "benchmark_outputs"
    INFERENCE_FRONTIER = "inference_frontier"
    MARKET = "market"


def refresh(
    only: Annotated[Group | None, typer.Option(help="Refresh one group and all that follows from it.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no network: stored documents and seeds only.")] = False,
    all_of_them: Annotated[bool, typer.Option("--all", help="Print every step, not what wants a look.")] = False,
) -> None:
    """Fetch the sources, recompute every table and publish the warehouse."""
    from pipelines.interrupt import stopped_by_signals  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    root = data_root()

    def tell() -> None:
        from pipelines.records import tell_records  # noqa: PLC0415

        tell_records(root)

    with stopped_by_signals(root, tell_records=tell):
        from pipelines.progress import show_refresh  # noqa: PLC0415  (takes seconds, in which Ctrl-C should work)

        job = f"refresh_{only}" if only else "refresh"
        is_good = show_refresh(root, job=job, offline=offline, out=out, all_of_them=all_of_them)
    # To free all that a refresh holds, object by object, takes a tenth of it: both streams are flushed, and the process ends.
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):  # of a reader that has gone, such as `head`
            stream.flush()
    os._exit(0 if is_good else 1)

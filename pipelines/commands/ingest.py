"""`iecon ingest`: a user's own benchmark results and traces."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import err, out


class Architecture(StrEnum):
    """How prefill and decode share GPUs."""

    COLOCATED = "colocated"
    CHUNKED = "chunked"
    DISAGGREGATED = "disaggregated"


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Benchmark result files and request traces, or folders of them.")],
    gpu: Annotated[str | None, typer.Option(help="GPU the runs had, such as h100-sxm.")] = None,
    gpus: Annotated[int | None, typer.Option(min=1, help="How many GPUs the whole system had.")] = None,
    engine: Annotated[str | None, typer.Option(help="Serving engine, such as vllm.")] = None,
    precision: Annotated[str | None, typer.Option(help="Number format of the weights, such as fp8.")] = None,
    architecture: Annotated[Architecture | None, typer.Option(help="How prefill and decode share GPUs.")] = None,
    price: Annotated[float | None, typer.Option(help="USD per GPU-hour you pay.")] = None,
) -> None:
    """Take your own benchmark results into the warehouse. Options are true of every file; run.json.meta.yaml of run.json."""
    from pipelines.ingest import show_ingest  # noqa: PLC0415
    from pipelines.interrupt import stopped_by_signals  # noqa: PLC0415
    from pipelines.records import tell_records  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    stated = {"gpu": gpu, "gpus": gpus, "engine": engine, "precision": precision, "usd_per_gpu_hour": price}
    said = {name: fact for name, fact in stated.items() if fact is not None}
    if architecture is not None:
        said["architecture"] = architecture.value
    root = data_root()
    with stopped_by_signals(root, tell_records=lambda: tell_records(root)):
        is_good = show_ingest(root, paths, said=said, console=err, out=out)
    if not is_good:
        raise typer.Exit(1)

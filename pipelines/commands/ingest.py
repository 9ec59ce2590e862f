"""`iecon ingest`: a user's own benchmark results and traces."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import out


class Architecture(StrEnum):
    """How prefill and decode share GPUs."""

    COLOCATED = "colocated"
    CHUNKED = "chunked"
    DISAGGREGATED = "disaggregated"


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Benchmark result files and request traces, or folders of them.")],
    model: Annotated[str | None, typer.Option(help="Model that ran; a file often has only the name it was served by.")] = None,
    engine: Annotated[str | None, typer.Option(help="Serving engine, such as vllm; a client does not know it.")] = None,
    gpu: Annotated[list[str] | None, typer.Option(help="GPU the runs had, such as h100-sxm.")] = None,
    gpus: Annotated[int | None, typer.Option(min=1, help="How many GPUs the whole system had.")] = None,
    tp: Annotated[int | None, typer.Option(min=1, help="Tensor parallelism.")] = None,
    pp: Annotated[int | None, typer.Option(min=1, help="Pipeline parallelism.")] = None,
    ep: Annotated[int | None, typer.Option(min=1, help="Expert parallelism.")] = None,
    precision: Annotated[str | None, typer.Option(help="Number format of the weights, such as fp8.")] = None,
    concurrency: Annotated[float | None, typer.Option(help="Requests in flight, or the size of a batch.")] = None,
    input_tokens: Annotated[float | None, typer.Option("--in", help="Tokens of a prompt.")] = None,
    output_tokens: Annotated[float | None, typer.Option("--out", help="Tokens of an answer.")] = None,
    architecture: Annotated[Architecture | None, typer.Option(help="How prefill and decode share GPUs.")] = None,
    price: Annotated[float | None, typer.Option(help="USD per GPU-hour you pay.")] = None,
    format_: Annotated[str | None, typer.Option("--format", help="Format, where two are possible.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Take your own benchmark results into the warehouse. Options are true of every file; run.json.meta.yaml of run.json."""
    from pipelines.ingest import show_ingest  # noqa: PLC0415
    from pipelines.interrupt import stopped_by_signals  # noqa: PLC0415
    from pipelines.records import tell_records  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    if gpu is not None and len(gpu) > 1:
        raise typer.BadParameter(f"a run is of one GPU, and {' and '.join(gpu)} are named", param_hint="--gpu")
    stated = {
        "model": model,
        "engine": engine,
        "gpu": gpu[0] if gpu else None,
        "gpus": gpus,
        "tp": tp,
        "pp": pp,
        "ep": ep,
        "precision": precision,
        "concurrency": concurrency,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "architecture": architecture.value if architecture is not None else None,
        "usd_per_gpu_hour": price,
        "format": format_,
    }
    said = {name: fact for name, fact in stated.items() if fact is not None}
    root = data_root()
    with stopped_by_signals(root, tell_records=lambda: tell_records(root)):
        is_good = show_ingest(root, paths, said=said, out=out, as_json=as_json)
    if not is_good:
        raise typer.Exit(1)

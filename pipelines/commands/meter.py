"""`iecon meter`: what a running server costs, and how near its limits it is."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import CommandError, err, out


def meter(
    servers: Annotated[
        list[str], typer.Argument(help="Addresses of vLLM, SGLang, TensorRT-LLM, llama.cpp or Prometheus, or saved scrapes.")
    ],
    minutes: Annotated[
        float | None, typer.Option(help="How long to watch; of Prometheus how far to look back; of one scrape its time.")
    ] = None,
    every: Annotated[float, typer.Option(help="Seconds between two looks.")] = 5.0,
    gpu: Annotated[str | None, typer.Option(help="GPU of the servers, for cost and headroom.")] = None,
    gpus: Annotated[int | None, typer.Option(min=1, help="GPUs of all servers together; else one each.")] = None,
    model: Annotated[str | None, typer.Option(help="Model; else as the server names it.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="Number format of the weights; else as the checkpoint is stored.")
    ] = None,
    price: Annotated[float | None, typer.Option(help="USD per GPU-hour you pay; else the warehouse's rent.")] = None,
    ttft_p99: Annotated[float, typer.Option(help="Bound on the time to first token, seconds.")] = 2.0,
    tpot_p99: Annotated[float, typer.Option(help="Bound on the time per output token, seconds.")] = 0.05,
    export: Annotated[Path | None, typer.Option(help="File for `iecon ingest`.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Meter a running server: realised cost, latencies against a contract, headroom, and the same traffic at API prices."""
    from answers.meter.answer import metered  # noqa: PLC0415
    from answers.meter.counting import counted  # noqa: PLC0415
    from answers.meter.export import export as written  # noqa: PLC0415
    from answers.meter.record import Asked, Metered  # noqa: PLC0415
    from answers.meter.text import show_metered  # noqa: PLC0415
    from answers.meter.watching import watch  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    for name, value in (
        ("minutes", minutes),
        ("every", every),
        ("price", price),
        ("ttft-p99", ttft_p99),
        ("tpot-p99", tpot_p99),
    ):
        if value is not None and not 0.0 < value < float("inf"):
            raise CommandError(f"--{name} must be positive and finite, got {value:g}", code=2)
    latest = data_root() / "releases" / "latest.duckdb"
    asked = Asked(
        gpu=gpu,
        gpus=gpus,
        model=model,
        precision=precision,
        usd_per_gpu_hour=price,
        ttft_p99_s=ttft_p99,
        tpot_p99_s=tpot_p99,
    )
    seen: Metered | None = None
    try:
        scrapes = watch(
            servers,
            minutes=minutes,
            every_s=every,
            asked=asked,
            console=None if json else out,
            now_s=time.time(),
            on_failure=lambda line: err.print(f"[yellow]not read[/yellow] {line}", highlight=False, soft_wrap=True),
        )
        seconds = None if minutes is None else minutes * 60.0
        seen = metered(counted(scrapes, seconds=seconds), asked, warehouse=latest if latest.exists() else None)
        if export is not None:
            written(seen, asked, export)
    except ValueError as error:
        raise CommandError(str(error), code=getattr(error, "code", 2)) from None
    if json:
        write_json(seen, sys.stdout)
    else:
        show_metered(seen, console=out)

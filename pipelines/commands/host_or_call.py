"""`iecon host-or-call`: pay per token or rent GPUs, and from which volume on."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import CommandError, out, warehouse

NO_DESIGN = 3
"""Exit code where no instance meets the contract; the call side still answers."""


def host_or_call(
    model: Annotated[str, typer.Option(help="Model, such as llama-3.3-70b; see core.model_shape.")],
    rate: Annotated[float | None, typer.Option(help="Mean requests per second; with --trace its own unless stated.")] = None,
    input_tokens: Annotated[float | None, typer.Option("--in", help="Tokens of a prompt.")] = None,
    output_tokens: Annotated[float | None, typer.Option("--out", help="Tokens of an answer, as billed.")] = None,
    workload: Annotated[
        str | None, typer.Option(help="Lengths and cached share from use: market, chat, agent, long_context or code.")
    ] = None,
    ttft_p99: Annotated[float, typer.Option(help="Bound on the time to first token, seconds.")] = 2.0,
    tpot_p99: Annotated[float, typer.Option(help="Bound on the time per output token, seconds.")] = 0.05,
    peak: Annotated[float | None, typer.Option(help="Highest rate over the mean; the contract holds there.")] = None,
    profile: Annotated[str | None, typer.Option(help="office, round_the_clock, or a CSV with a rate for each hour.")] = None,
    trace: Annotated[Path | None, typer.Option(help="Trace of requests: its rate, peak and lengths.")] = None,
    cached: Annotated[float | None, typer.Option(help="Share of the prompt found in the cache, 0 to 1.")] = None,
    batch: Annotated[float, typer.Option(help="Share of the requests that can wait for a batch, 0 to 1.")] = 0.0,
    gpu: Annotated[list[str] | None, typer.Option(help="GPU, several times for several; else all that have a rent.")] = None,
    term: Annotated[str | None, typer.Option(help="on_demand, reserved_1y, reserved_3y, spot, ... or owned.")] = None,
    price: Annotated[float | None, typer.Option(help="USD per GPU-hour you pay.")] = None,
    gpu_usd: Annotated[float | None, typer.Option(help="Owned: USD per GPU with its share of server and network.")] = None,
    life_years: Annotated[float, typer.Option(help="Owned: years of use.")] = 4.0,
    interest: Annotated[float, typer.Option(help="Owned: interest a year, such as .08.")] = 0.08,
    usd_per_kwh: Annotated[float, typer.Option(help="Owned: USD per kWh.")] = 0.1,
    pue: Annotated[float, typer.Option(help="Owned: power of the building over that of the machines.")] = 1.3,
    against: Annotated[list[str] | None, typer.Option(help="Another model to call, several times for several.")] = None,
    api_price: Annotated[str | None, typer.Option(help="What you pay: IN/OUT or IN/OUT/CACHED, USD per Mtok.")] = None,
    minimum_usd_per_month: Annotated[float, typer.Option(help="What the API charges at least.")] = 0.0,
    ops_usd_per_month: Annotated[float, typer.Option(help="What hosting costs besides the GPUs.")] = 0.0,
    start_up: Annotated[float | None, typer.Option(help="Instances follow the load; seconds one takes to start.")] = None,
    precision: Annotated[str | None, typer.Option(help="bf16, fp8, fp4, ...; else as the checkpoint is stored.")] = None,
    engine: Annotated[str | None, typer.Option(help="vllm, sglang, tensorrt_llm, ...; else the cheapest measured.")] = None,
    measured: Annotated[
        str | None, typer.Option(help="Table of your runs, as `iecon predict` reads it, with output_tokens_per_s_per_gpu.")
    ] = None,
    route: Annotated[Path | None, typer.Option(help="Your outcomes, as `iecon route` reads them.")] = None,
    accuracy: Annotated[list[str] | None, typer.Option(help="MODEL=SHARE of correct answers, for dollars per correct.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Decide whether to host a model or to call it: both bills, the break-even, and what a mix of both saves."""
    from answers.host_or_call.answer import host_or_call as decide  # noqa: PLC0415
    from answers.host_or_call.asked import question_of  # noqa: PLC0415
    from answers.host_or_call.text import show_host_or_call  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415

    try:
        asked = question_of(
            warehouse(),
            model=model,
            rate=rate,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            workload=workload,
            peak=peak,
            profile=profile,
            trace=trace,
            cached=cached,
            api_price=api_price,
            accuracy=accuracy or [],
            owned=None if gpu_usd is None else (gpu_usd, life_years, interest, usd_per_kwh, pue),
            term=term,
            ttft_p99_s=ttft_p99,
            tpot_p99_s=tpot_p99,
            batch_share=batch,
            gpus=tuple(gpu or ()),
            usd_per_gpu_hour=price,
            against=tuple(against or ()),
            minimum_usd_per_month=minimum_usd_per_month,
            ops_usd_per_month=ops_usd_per_month,
            start_up_s=start_up,
            precision=precision,
            engine=engine,
            measured=measured,
        )
        decision = decide(asked, warehouse=warehouse(), table=route)
    except ValueError as error:
        raise CommandError(str(error), code=getattr(error, "code", 2)) from None
    if json:
        write_json(decision, sys.stdout)
    else:
        show_host_or_call(decision, console=out)
    if decision.best is None:
        raise typer.Exit(NO_DESIGN)

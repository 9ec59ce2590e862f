"""`iecon decide`: the cheapest serving design within a contract."""

import sys
from dataclasses import replace
from typing import Annotated

import typer

from pipelines.console import out, warehouse


def decide(
    model: Annotated[str, typer.Option(help="Model, such as llama-3.1-70b; see core.model_shape.")],
    gpu: Annotated[str, typer.Option(help="GPU, such as h100-sxm; see core.gpu.")],
    rate: Annotated[float, typer.Option(help="Requests per second.")],
    ttft_p99: Annotated[float, typer.Option(help="Bound on the time to first token, seconds.")],
    tpot_p99: Annotated[float, typer.Option(help="Bound on the time per output token, seconds.")],
    input_tokens: Annotated[float | None, typer.Option("--in", help="Tokens of a prompt.")] = None,
    output_tokens: Annotated[float | None, typer.Option("--out", help="Tokens of an answer.")] = None,
    workload: Annotated[
        str | None, typer.Option(help="Lengths from use in place of both: market, chat, agent, long_context or code.")
    ] = None,
    kv_gbps: Annotated[float | None, typer.Option(help="Gbit/s of the KV transfer per GPU; else its network.")] = None,
    price: Annotated[float | None, typer.Option(help="USD per GPU-hour you pay; else today's rent.")] = None,
    rent_day: Annotated[
        str | None, typer.Option(help="Rent of a past day, such as 2026-04-20; see core.gpu_rent_daily.")
    ] = None,
    rent_term: Annotated[
        str | None, typer.Option(help="Its term: rental_index, on_demand, marketplace, reserved_3m, ...")
    ] = None,
    rent_statistic: Annotated[str | None, typer.Option(help="Of a market's offers: p25 or median.")] = None,
    precision: Annotated[str, typer.Option(help="Number format of the weights: bf16 or fp8.")] = "bf16",
    tpot_definition: Annotated[
        str, typer.Option(help="per_request_mean, per_token_p99, per_token_max or worst_tenth_mean.")
    ] = "per_request_mean",
    engine: Annotated[
        str | None, typer.Option(help="Serving engine whose measured steps to trust; else that with most of them.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find the cheapest way to serve a model within a contract: colocated or disaggregated, how many GPUs, how sure."""
    from answers.decide.answer import decide as decision_for  # noqa: PLC0415
    from answers.decide.record import ServingQuestion  # noqa: PLC0415
    from answers.decide.text import show_decision  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415
    from answers.workloads import lengths  # noqa: PLC0415

    prompt, reply, from_use = lengths(warehouse(), workload=workload, input_tokens=input_tokens, output_tokens=output_tokens)
    asked = ServingQuestion(
        model=model,
        gpu=gpu,
        input_tokens=prompt,
        output_tokens=reply,
        requests_per_s=rate,
        ttft_p99_s=ttft_p99,
        tpot_p99_s=tpot_p99,
        kv_gbps=kv_gbps,
        usd_per_gpu_hour=price,
        rent_day=rent_day,
        rent_term=rent_term,
        rent_statistic=rent_statistic,
        precision=precision,
        tpot_definition=tpot_definition,
        engine=engine,
    )
    decision = decision_for(asked, warehouse=warehouse())
    if from_use is not None:
        computed = f"{from_use}; every prompt is computed whole here, as if nothing were cached"
        decision = replace(decision, evidence=(computed, *decision.evidence))
    if json:
        write_json(decision, sys.stdout)
    else:
        show_decision(decision, console=out)

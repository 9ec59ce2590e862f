"""`iecon decide`: the cheapest serving design within a contract."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import CommandError, out, warehouse

NOT_MET = 3
"""Exit code where no design meets the contract."""


def decide(
    model: Annotated[str | None, typer.Option(help="Model: a name, a Hugging Face id; see core.model_shape.")] = None,
    gpu: Annotated[list[str] | None, typer.Option(help="GPU, such as h100-sxm; several times, or any.")] = None,
    rate: Annotated[float | None, typer.Option(help="Requests per second.")] = None,
    peak: Annotated[float | None, typer.Option(help="Requests per second at the peak, which must be held.")] = None,
    burstiness: Annotated[float, typer.Option(help="As in vLLM's benchmark: 1 is Poisson, below it bursts.")] = 1.0,
    input_tokens: Annotated[
        str | None, typer.Option("--in", help="Tokens of a prompt: 2000, 2000~0.8 (mean, log spread) or 500-4000.")
    ] = None,
    output_tokens: Annotated[str | None, typer.Option("--out", help="Tokens of an answer, as for --in.")] = None,
    workload: Annotated[
        str | None, typer.Option(help="Lengths from use in place of both: market, chat, agent, long_context or code.")
    ] = None,
    trace: Annotated[
        str | None, typer.Option(help="Lengths and rate of a trace that was ingested: its file name or id.")
    ] = None,
    ttft_p50: Annotated[float | None, typer.Option(help="Bound on the time to first token, seconds.")] = None,
    ttft_p90: Annotated[float | None, typer.Option(help="The same at its 90th, 95th or 99th percentile.")] = None,
    ttft_p95: Annotated[float | None, typer.Option(help="The same at its 90th, 95th or 99th percentile.")] = None,
    ttft_p99: Annotated[float | None, typer.Option(help="The same at its 90th, 95th or 99th percentile.")] = None,
    tpot_p50: Annotated[float | None, typer.Option(help="Bound on the time per output token, seconds.")] = None,
    tpot_p90: Annotated[float | None, typer.Option(help="The same at its 90th, 95th or 99th percentile.")] = None,
    tpot_p95: Annotated[float | None, typer.Option(help="The same at its 90th, 95th or 99th percentile.")] = None,
    tpot_p99: Annotated[float | None, typer.Option(help="The same at its 90th, 95th or 99th percentile.")] = None,
    e2e_p50: Annotated[float | None, typer.Option(help="Bound on the whole request, seconds.")] = None,
    e2e_p90: Annotated[float | None, typer.Option(help="The same at its 90th, 95th or 99th percentile.")] = None,
    e2e_p95: Annotated[float | None, typer.Option(help="The same at its 90th, 95th or 99th percentile.")] = None,
    e2e_p99: Annotated[float | None, typer.Option(help="The same at its 90th, 95th or 99th percentile.")] = None,
    precision: Annotated[str | None, typer.Option(help="bf16, fp8, nvfp4, mxfp4, int8, int4-awq; else as stored.")] = None,
    kv_dtype: Annotated[str | None, typer.Option(help="Of keys and values: bf16 or fp8.")] = None,
    engine: Annotated[str | None, typer.Option(help="Serving engine; else that with most measured runs.")] = None,
    tp: Annotated[int | None, typer.Option(help="Tensor parallelism, where it is fixed.")] = None,
    ep: Annotated[int | None, typer.Option(help="Expert parallelism.")] = None,
    pp: Annotated[int | None, typer.Option(help="Pipeline stages.")] = None,
    dp_attention: Annotated[
        bool | None, typer.Option("--dp-attention/--no-dp-attention", help="Attention in parallel over requests.")
    ] = None,
    gpus: Annotated[int | None, typer.Option(help="GPUs there are at most.")] = None,
    design: Annotated[str | None, typer.Option(help="colocated or disaggregated; else the cheaper.")] = None,
    prefill_gpu: Annotated[str | None, typer.Option(help="Another GPU for the prefill pool.")] = None,
    prefix_hit: Annotated[float, typer.Option(help="Share of every prompt found in the prefix cache.")] = 0.0,
    draft_tokens: Annotated[float | None, typer.Option(help="Tokens drafted in a step.")] = None,
    acceptance: Annotated[float | None, typer.Option(help="Probability that a draft is kept.")] = None,
    kv_gbps: Annotated[float | None, typer.Option(help="Gbit/s of the KV transfer per GPU; else its network.")] = None,
    price: Annotated[list[str] | None, typer.Option(help="USD per GPU-hour you pay, or GPU=USD; several times.")] = None,
    term: Annotated[str | None, typer.Option("--term", "--rent-term", help="Of the rent: on_demand, marketplace, ...")] = None,
    rent_day: Annotated[str | None, typer.Option(help="Rent of a past day, such as 2026-04-20.")] = None,
    rent_statistic: Annotated[str | None, typer.Option(help="Of a market's offers: p25 or median.")] = None,
    config: Annotated[Path | None, typer.Option(help="config.json of a model of your own.")] = None,
    accelerator: Annotated[Path | None, typer.Option(help="JSON of columns of core.gpu for a device of your own.")] = None,
    measured: Annotated[Path | None, typer.Option(help="Table of your own runs, which correct the step times.")] = None,
    table: Annotated[Path | None, typer.Option(help="Many questions: a row each, columns as these options.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="With --table: the file to write.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take bounds as they are, however large.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find the cheapest way to serve a model within a contract: which GPUs, how many, how split, and how sure that is.

    Bounds are in seconds. Exit code 3: no design meets the contract; the nearest that can be met is told.
    """
    from answers.decide.answer import decide as decision_for  # noqa: PLC0415
    from answers.decide.asked import length_meant, with_prices  # noqa: PLC0415
    from answers.decide.record import ServingQuestion  # noqa: PLC0415
    from answers.decide.text import show_decision  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415
    from answers.workloads import lengths  # noqa: PLC0415

    if table is not None:
        _many(table, output)
        return
    if model is None and config is None:
        raise CommandError("give --model, or --config with a config.json", code=2)
    own = ["own"] if accelerator is not None else []
    named = {name: value for name, value in locals().items() if name[:4] in ("ttft", "tpot") or name[:3] == "e2e"}
    from_use: str | None
    if trace is not None:
        from answers.decide.many import trace_named  # noqa: PLC0415

        found = trace_named(warehouse(), trace)
        given, replied, from_use = found.input_tokens, found.output_tokens, str(found.in_words)
        spreads = list(found.spread)
        rate = found.requests_per_s if rate is None else rate
    else:
        stated = [
            length_meant(f"--{name}", text) if text is not None else None
            for name, text in (("in", input_tokens), ("out", output_tokens))
        ]
        prompt, reply = (None if one is None else one[0] for one in stated)
        given, replied, from_use = lengths(warehouse(), workload=workload, input_tokens=prompt, output_tokens=reply)
        spreads = [0.0 if one is None else one[1] for one in stated]
    if rate is None:
        raise CommandError("give --rate, the requests per second", code=2)
    asked = ServingQuestion(
        model=model or str(config),
        gpu=tuple(gpu or own or ["any"]),
        input_tokens=given,
        output_tokens=replied,
        requests_per_s=rate,
        peak_requests_per_s=peak,
        burstiness=burstiness,
        length_spread=(spreads[0], spreads[1]),
        precision=precision,
        kv_dtype=kv_dtype,
        engine=engine,
        tp=tp,
        ep=ep,
        pp=pp,
        dp_attention=dp_attention,
        gpus=gpus,
        design=design,
        prefill_gpu=prefill_gpu,
        prefix_hit_share=prefix_hit,
        draft_tokens=draft_tokens,
        draft_acceptance=acceptance,
        kv_gbps=kv_gbps,
        usd_per_gpu_hour=with_prices(price or []),
        rent_day=rent_day,
        rent_term=term,
        rent_statistic=rent_statistic,
        config=None if config is None else str(config),
        accelerator=None if accelerator is None else str(accelerator),
        measured=None if measured is None else str(measured),
        insist=yes,
        **{f"{name}_s": seconds for name, seconds in named.items()},
    )
    decision = decision_for(asked, warehouse=warehouse())
    if from_use is not None:
        decision = replace(decision, evidence=(from_use, *decision.evidence))
    if json:
        write_json(decision, sys.stdout)
    else:
        show_decision(decision, console=out)
    if not decision.designs:
        raise typer.Exit(NOT_MET)


def _many(table: Path, output: Path | None) -> None:
    from answers.decide.many import decide_table  # noqa: PLC0415
    from answers.predict.files import format_of, read_batches, write_batches  # noqa: PLC0415

    try:
        answers = (decide_table(rows, warehouse=warehouse()) for rows in read_batches(table))
        write_batches(answers, output=output, format=format_of(output), screen=sys.stdout.buffer)
    except ValueError as error:
        raise CommandError(str(error), code=2) from None

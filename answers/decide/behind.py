"""What an answer rests on, in words: your runs, the nearest published run, how sure, and what is assumed."""

from pathlib import Path

import duckdb
import polars as pl

from answers.decide.known import Facts, Known
from answers.decide.record import Design, ServingQuestion
from answers.decide.systems import family_of
from answers.text import number

ACCURACY = {
    "fp8": "no measurable loss over the Llama-3.1 family in 8-bit floats (arXiv 2411.02355)",
    "int8": "1 to 3 % of benchmark scores lost over the Llama-3.1 family when tuned (arXiv 2411.02355)",
    "int4": "close to 8-bit integers over the Llama-3.1 family (arXiv 2411.02355); with AWQ perplexity 5.47 to 5.60 on "
    "Llama-2-7B (arXiv 2306.00978)",
}
"""What a number format does to answers, where a document says it. Weights stored in a format lose nothing by it."""
UNMEASURED = "no run of {engine} on this family of accelerators was measured: no share of draws is claimed, and no interval"
HAS_OWN = "SELECT 1 FROM meta.snapshot WHERE source = 'user_files' LIMIT 1"
NEAREST = """
    SELECT source, model, gpu, engine, precision, gpus, concurrency, input_tokens, output_tokens, output_measured,
        output_measured * exp(-output_error_run) AS output_foretold, tpot_measured, is_own
    FROM marts.engine_run WHERE run_id = ?
"""
RIGHT = """
    SELECT median_error, runs FROM marts.engine_validation WHERE left_out = 'group' AND gpu IS NULL AND kind = 'closed'
    AND NOT drafts AND quantity = 'output_tokens_per_s_per_gpu'
"""
BASIS = {
    "own": "runs of your own of this model, accelerator, engine and number format",
    "group": "published runs of this model, accelerator, engine and number format",
    "family": "runs of other models of the engine on this family of accelerators",
    "none": "no run at all: the closed forms alone",
}


def evidence(best: Design | None, q: ServingQuestion, known: Known, warehouse: Path) -> tuple[str, ...]:
    """The lines, evidence first. `best`: the answer, or None where no design meets the contract."""
    lines = [*known.notes, *(_own(best, q, warehouse) if best is not None else [])]
    with duckdb.connect(str(warehouse.resolve()), read_only=True) as connection:
        if best is not None:
            lines += _nearest(best, connection)
        right = connection.execute(RIGHT).fetchone()
    if right is not None:
        lines.append(
            f"how right: left out of the fit with their whole group, {right[1]:,} runs in closed loops have a median error of "
            f"{right[0]:.0%} in output rate"
        )
    lines += _assumed(best, q, known)
    return tuple(lines)


def _own(best: Design, q: ServingQuestion, warehouse: Path) -> list[str]:
    with duckdb.connect(str(warehouse.resolve()), read_only=True) as connection:
        if not connection.execute(HAS_OWN).fetchone():
            return []
    from answers.own_runs import nearest_own_runs  # noqa: PLC0415  # it brings the orchestrator, which takes a second

    mine = nearest_own_runs(warehouse, model=q.model, gpu=best.gpu, concurrency=best.concurrency)
    if mine is None:
        return []
    sizes = " and ".join(str(count) for count in mine.gpus) or "some"
    at = f"at concurrency {number(mine.concurrency)}" if mine.concurrency else "the fastest"
    used = "used in the fit" if mine.is_in_fit else f"not used in the fit: {mine.why_not}"
    measured = number(mine.measured_output_tokens_per_s_per_gpu)
    held = number(best.requests_per_s_held * q.output_tokens / best.gpus)
    return [
        f"your runs: {mine.runs} on {sizes} {best.gpu}; nearest {at}: measured {measured} output tok/s per GPU, this design "
        f"holds {held} within the contract; {used}"
    ]


def _nearest(best: Design, connection: duckdb.DuckDBPyConnection) -> list[str]:
    lines = [f"step times: corrected by {BASIS[best.basis]}"]
    if best.basis == "none":
        return [UNMEASURED.format(engine=best.engine)]
    if best.nearest_run is None:
        return lines
    found = connection.execute(NEAREST, [best.nearest_run])
    row = dict(zip([column[0] for column in found.description or []], found.fetchone() or (), strict=False))
    if not row:
        return lines
    load = f"{row['concurrency']:g} in flight, " if row["concurrency"] else ""
    foretold = f" (foretold without it {number(row['output_foretold'])})" if row["output_foretold"] else ""
    tpot = f", TPOT {number(1000 * row['tpot_measured'])} ms" if row["tpot_measured"] else ""
    rate = f"measured {number(row['output_measured'])} output tok/s per GPU{foretold}" if row["output_measured"] else "measured"
    gpus = f"{row['gpus']:g} " if row["gpus"] else ""
    whose = "yours" if row["is_own"] else row["source"]
    return [
        *lines,
        f"nearest run ({whose}, distance {best.distance:.2f}): {row['model']} {row['precision']} on {gpus}{row['gpu']}, "
        f"{row['engine'] or 'engine not stated'}, {load}{row['input_tokens']:g} in, {row['output_tokens']:g} out: {rate}{tpot}",
    ]


def _assumed(best: Design | None, q: ServingQuestion, known: Known) -> list[str]:
    lines = [
        f"your table {q.measured}: {gpu} measured over predicted "
        + ", ".join(f"{name} {value:.2f}" for name, value in each.items())
        for gpu, each in known.measured.items()
    ]
    if best is not None:
        lines.append(_tail(best, known))
        lines += [_rent(gpu, known.rents[gpu]) for gpu in dict.fromkeys((best.gpu, best.prefill_gpu or best.gpu))]
        gpu = known.gpus[best.gpu]
        lines.append(f"accelerator: {gpu['status']} ({gpu['locator']})")
    lines.append(f"model shape: {known.shape['status']}" + (f" ({known.shape['note']})" if known.shape.get("note") else ""))
    lines.append(_accuracy(q, known))
    if q.kv_dtype and q.kv_dtype.lower() not in ("bf16", "fp16", "auto"):
        lines.append(f"keys and values in {q.kv_dtype}: what it does to accuracy is unknown here")
    if q.prefix_hit_share:
        lines.append(f"prefix cache: {q.prefix_hit_share:.0%} of every prompt is found and not computed, as you stated it")
    if q.draft_tokens:
        lines.append(
            f"drafts: {q.draft_tokens:g} a step, each kept with probability {q.draft_acceptance:g}, as you stated it; drafting "
            "one costs 5 % of a plain step (assumed), verifying them is computed"
        )
    if q.length_spread != (0.0, 0.0):
        lines.append("lengths: capacity from their means; their spread is in the simulation")
    return lines


def _tail(best: Design, known: Known) -> str:
    kind = "pools" if best.architecture == "disaggregated" else "rate"
    own = known.tails.filter(pl.col("kind") == kind, pl.col("engine") == best.engine, pl.col("family") == family_of(best.gpu))
    row = (own if own.height else known.tails.filter(pl.col("kind") == kind, pl.col("engine").is_null())).row(0, named=True)
    of = f"{best.engine} on this family" if own.height else "all engines"
    return (
        f"tail: p99 of TPOT is {row['ratio']:.2f} times its median, measured on {row['runs']} runs of {of} "
        f"({row['low']:.2f} to {row['high']:.2f} between models and accelerators)"
    )


def _rent(gpu: str, rent: Facts) -> str:
    if not rent.get("sources"):
        return f"rent of {gpu}: {number(rent['usd_per_gpu_hour'])} $ per GPU-hour, as you stated it, taken as certain"
    return (
        f"rent of {gpu}: {rent['term']}, {rent['sellers']} seller(s) from {rent['low_usd_per_gpu_hour']:.4g} to "
        f"{rent['high_usd_per_gpu_hour']:.4g} $ per GPU-hour, newest of {rent['valid_from']} ({rent['sources']})"
    )


def _accuracy(q: ServingQuestion, known: Known) -> str:
    stored = known.shape.get("stored_as") or "bf16"
    if q.precision in (stored, "bf16") or (q.precision == "mxfp4" and stored == "fp4"):
        return (
            f"number format {q.precision}: as the checkpoint is stored"
            if q.precision != "bf16"
            else "number format bf16: no loss"
        )
    effect = ACCURACY.get(str(q.precision))
    return f"number format {q.precision} (stored as {stored}): {effect or 'what it does to accuracy is unknown here'}"

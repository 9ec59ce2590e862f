"""A decision as a person reads it, and as JSON."""

from rich.console import Console
from rich.table import Table

from answers.decide.record import Decision, Design, Margin
from answers.text import number, usd

NAMES = {
    "chunked": "chunked colocation",
    "unchunked": "unchunked colocation",
    "disaggregated": "disaggregated prefill and decode",
}


def show_decision(decision: Decision, *, console: Console) -> None:
    """The answer first, then every design, how far the answer is from turning, and what it rests on."""

    def say(text: str = "") -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    q = decision.question
    say(
        f"{q.model} ({q.precision}) on {q.gpu} at ${decision.usd_per_gpu_hour:.4g} per GPU-hour: {q.input_tokens:,.0f} tokens "
        f"in, {q.output_tokens:,.0f} out, {q.requests_per_s:g} requests/s, p99 TTFT {q.ttft_p99_s:g} s, p99 TPOT "
        f"{q.tpot_p99_s:g} s ({q.tpot_definition}), KV over {decision.kv_gbps:g} Gbit/s per GPU"
    )
    say()
    for line in _answer(decision):
        say(line)
    say()
    console.print(_designs(decision.designs), highlight=False)
    for design in decision.designs:
        if design.broken_bounds:
            say(f"{design.architecture} cannot: {'; '.join(design.broken_bounds)}")
    if decision.answer:
        say()
        say("Where disaggregation starts to be cheaper than chunked colocation, at scale:")
        console.print(_margins(decision.margins), highlight=False)
        say()
        say("What would flip the answer:")
        for flip in decision.flips or ("nothing on these axes",):
            say(f"  {flip}")
    say()
    say("Behind it:")
    say(f"  switches ({decision.setting}): {decision.switches}")
    tried = (f"{size.gpus}: {size.cheapest or 'none'} {usd(size.usd_per_mtok)}" for size in decision.sizes)
    say(f"  cheapest by GPUs per replica: {', '.join(tried)}")
    for line in decision.evidence:
        say(f"  {line}")


def _answer(decision: Decision) -> list[str]:
    if decision.answer is None:
        lines = ["No design meets this contract on any replica size within a node. The nearest that can be met:"]
        return lines + [
            f"  {NAMES[near.architecture]}, {near.gpus_per_replica} GPU(s) per replica: p99 TTFT {near.ttft_p99_s:.3g} s, "
            f"p99 TPOT {near.tpot_p99_s:.3g} s, at {usd(near.usd_per_mtok)} per million output tokens"
            for near in decision.nearest
        ]
    best = next(design for design in decision.designs if design.architecture == decision.answer)
    assumed = (
        "These draws vary what is assumed of the engine, not what was measured of it: for how right that was, see below."
        if decision.calibration != "fitted"
        else None
    )
    lines = [
        f"Cheapest that meets the contract: {NAMES[best.architecture]}, {best.gpus:,} GPUs ({_replicas(best)} of "
        f"{decision.gpus_per_replica}), {usd(best.usd_per_hour)} an hour, {usd(best.usd_per_mtok)} per million output tokens "
        f"(5 % {usd(best.low_usd_per_mtok)}, 95 % {usd(best.high_usd_per_mtok)}).",
        f"Over draws of rent, MFU, MBU and link it is the cheapest in {best.chance_cheapest:.0%}, and meets the contract in "
        f"{best.chance_feasible:.0%}.",
    ]
    return [*lines, assumed] if assumed else lines


def _designs(designs: tuple[Design, ...]) -> Table:
    table = _table("design", "$/Mtok", "5 %", "95 %", "at scale", "GPUs", "replicas", "$/hour", "running", "meets", "cheapest")
    for design in designs:
        table.add_row(
            design.architecture,
            usd(design.usd_per_mtok),
            usd(design.low_usd_per_mtok),
            usd(design.high_usd_per_mtok),
            usd(design.usd_per_mtok_at_scale),
            "-" if design.gpus is None else f"{design.gpus:,}",
            _replicas(design),
            usd(design.usd_per_hour),
            "-" if design.running_sequences is None else f"{design.running_sequences:.0f}",
            f"{design.chance_feasible:.0%}",
            f"{design.chance_cheapest:.0%}",
        )
    return table


def _margins(margins: tuple[Margin, ...]) -> Table:
    table = _table("axis", "now", "break-even", "5 %", "95 %", "unit", "cheaper")
    for margin in margins:
        table.add_row(
            margin.axis,
            f"{margin.now:.4g}",
            number(margin.break_even),
            number(margin.low),
            number(margin.high),
            margin.unit,
            margin.disaggregation_is_cheaper,
        )
    return table


def _table(*names: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for at, name in enumerate(names):
        table.add_column(name, justify="right" if at else "left", no_wrap=True)
    return table


def _replicas(design: Design) -> str:
    if design.decode_replicas is None:
        return "-"
    if design.prefill_replicas:
        return f"{design.prefill_replicas:,} prefill + {design.decode_replicas:,} decode"
    return f"{design.decode_replicas:,}"

"""A decision as a person reads it, and as rows of a table."""

import math
from typing import Any

from rich.console import Console

from answers.decide.record import Checked, Decision, Design, Flip, ServingQuestion, Unmet
from answers.text import number, say, show_rows, usd

LIMITS = {
    "ttft": "TTFT",
    "tpot": "TPOT",
    "e2e": "the whole request",
    "room": "memory for more sequences",
    "gpus": "the GPUs there are",
}
OTHERS_SHOWN = 8
REFUSED_SHOWN = 6


def show_decision(decision: Decision, *, console: Console) -> None:
    """The answer first, then the next designs, what was checked, what would turn it, and what it rests on."""

    def line(text: str = "", indent: int = 0) -> None:
        say(text.replace("[", r"\["), console=console, indent=indent)

    for sentence in _answer(decision):
        line(sentence)
    console.print()
    line(f"Asked: {in_words(decision.question)}")
    if decision.designs:
        console.print()
        _designs(decision, console)
    if decision.refused:
        console.print()
        line("Not among them:")
        for refused in decision.refused[:REFUSED_SHOWN]:
            line(refused.why, 2)
        if len(decision.refused) > REFUSED_SHOWN:
            line(f"and {len(decision.refused) - REFUSED_SHOWN} more, with --json", 2)
    if decision.flips:
        console.print()
        line("What would flip the answer:")
        for flip in _flips(decision.flips):
            line(flip, 2)
    console.print()
    line("Behind it:")
    for each in decision.evidence:
        line(each, 2)


def in_words(q: ServingQuestion) -> str:
    """The question in one line."""
    bounds = ", ".join(f"{name} {metric.upper()} {seconds:g} s" for metric, (name, seconds) in q.bounds().items())
    extras = [
        f"sized for {q.peak_requests_per_s:g} at the peak" if q.peak_requests_per_s else "",
        f"{q.prefix_hit_share:.0%} of prompts in the prefix cache" if q.prefix_hit_share else "",
        f"{q.draft_tokens:g} drafts accepted at {q.draft_acceptance:g}" if q.draft_tokens else "",
        f"at most {q.gpus} GPUs" if q.gpus else "",
        f"keys and values in {q.kv_dtype}" if q.kv_dtype else "",
    ]
    gpus = ", ".join(q.gpus_named) if len(q.gpus_named) <= 3 else f"{len(q.gpus_named)} accelerators"
    return (
        f"{q.model} ({q.precision}) on {gpus}: {q.input_tokens:,.0f} tokens in, {q.output_tokens:,.0f} out, "
        f"{q.requests_per_s:g} requests/s, {bounds}" + "".join(f", {extra}" for extra in extras if extra)
    )


def row_of(decision: Decision) -> dict[str, Any]:
    """The answer in columns, for a table of many questions."""
    if not decision.designs:
        why = _nearest(decision.unmet[0]) if decision.unmet else decision.refused[0].why if decision.refused else "none"
        return {"answer": None, "reason": why}
    best = decision.designs[0]
    return {
        "answer": best.architecture,
        "gpu_chosen": best.gpu,
        "engine_chosen": best.engine,
        "parallelism": best.parallelism,
        "copies": best.copies,
        "gpus_needed": best.gpus,
        "prefill_gpus": best.prefill_gpus,
        "decode_gpus": best.decode_gpus,
        "usd_per_hour": best.usd_per_hour,
        "usd_per_mtok_output": best.usd_per_mtok_output,
        "low_usd_per_mtok_output": best.low_usd_per_mtok_output,
        "high_usd_per_mtok_output": best.high_usd_per_mtok_output,
        "usd_per_request": best.usd_per_request,
        "rent_term": best.term,
        "chance_cheapest": best.chance_cheapest,
        "basis": best.basis,
        "reason": None,
    }


def _answer(decision: Decision) -> list[str]:
    if not decision.designs:
        lines = ["No design meets this contract." if decision.unmet else "None of the accelerators asked for can be answered."]
        if decision.unmet:
            lines[0] += " The nearest that can be met:"
            lines += [f"  {_nearest(unmet)}" for unmet in decision.unmet[:3]]
        return lines
    best = decision.designs[0]
    lines = [
        f"Cheapest that meets the contract: {_name(best)}, {best.gpus:,} {best.gpu} ({_copies(best)}), "
        f"{usd(best.usd_per_hour)} an hour, {usd(best.usd_per_mtok_output)} per million output tokens {_interval(best)}.",
        f"That is {usd(best.usd_per_request)} a request, {usd(best.usd_per_mtok_input)} per million input tokens and "
        f"{usd(best.usd_per_mtok_total)} per million of both, at {usd(best.usd_per_gpu_hour)} per GPU-hour "
        f"({_term(best.term)}).",
    ]
    lines += _sure(decision, best)
    if best.checked is not None:
        lines.append(_checked(best.checked, decision.question))
    return lines


def _sure(decision: Decision, best: Design) -> list[str]:
    if best.chance_cheapest is None:
        return [
            "How sure: nothing was measured of this engine on this family of accelerators: no share, no interval is claimed."
        ]
    rivals = [design for design in decision.designs[1:] if design.term == best.term]
    if not rivals:
        return []
    return [
        f"It is the cheapest in {best.chance_cheapest:.0%} of draws of rent and of the error of the step times; next is "
        f"{rivals[0].architecture} on {rivals[0].gpu}, {rivals[0].usd_per_hour / best.usd_per_hour - 1.0:.0%} dearer."
    ]


def _checked(checked: Checked, q: ServingQuestion) -> str:
    other = checked.size != checked.size_predicted
    grown = f", with {_size(checked.size)} where the closed form said {_size(checked.size_predicted)}" if other else ""
    told = "every bound holds" if checked.holds else "a bound still breaks"
    tpot = [number(1e3 * seconds) for seconds in (checked.tpot_p50_s, checked.tpot_p90_s, checked.tpot_p99_s)]
    return (
        f"Simulated, {checked.requests:,} requests as they come{grown}: {told}. TTFT p50 {number(checked.ttft_p50_s)} s, p90 "
        f"{number(checked.ttft_p90_s)}, p99 {number(checked.ttft_p99_s)}; TPOT p50 {tpot[0]} ms, p90 {tpot[1]}, p99 {tpot[2]}; "
        f"{checked.attainment:.1%} of requests within the bounds, {number(checked.goodput_per_s)} good requests/s of "
        f"{q.sized_for_per_s:g}."
    )


def _size(size: tuple[int, int]) -> str:
    return (
        f"{size[1]:,} prefill and {size[0]:,} decode workers"
        if size[1]
        else f"{size[0]:,} {'copies' if size[0] > 1 else 'copy'}"
    )


def _designs(decision: Decision, console: Console) -> None:
    headings = ["design", "GPUs", "$/hour", "$/Mtok out", "5 %", "95 %", "cheapest", "held/s", "limit", "rent"]
    rows = [
        [
            f"{_name(design)} on {design.gpu}, {design.engine}",
            f"{design.gpus:,} ({_copies(design)})",
            usd(design.usd_per_hour),
            usd(design.usd_per_mtok_output),
            usd(design.low_usd_per_mtok_output),
            usd(design.high_usd_per_mtok_output),
            "-" if design.chance_cheapest is None else f"{design.chance_cheapest:.0%}",
            number(design.requests_per_s_held),
            LIMITS[design.limit],
            _term(design.term),
        ]
        for design in decision.designs[:OTHERS_SHOWN]
    ]
    show_rows(headings, rows, console=console, right=headings[2:8])
    if len({design.term for design in decision.designs}) > 1:
        say("Rents of different terms are not one market: each is ranked among its own.", console=console)


def _flips(flips: tuple[Flip, ...]) -> list[str]:
    """What turns the answer, the nearest first, and in one line what does not."""
    turning = sorted((flip for flip in flips if flip.turns_at is not None), key=_times)
    still = ", ".join(
        f"{flip.axis} ({number(flip.low)} to {number(flip.high)} {flip.unit})" for flip in flips if flip.turns_at is None
    )
    lines = [f"{flip.axis} {number(flip.turns_at)} {flip.unit} (now {number(flip.now)}): {flip.to}" for flip in turning]
    return [*lines, f"nothing on {still}"] if still else lines


def _times(flip: Flip) -> float:
    """How far a turn is, as the logarithm of its multiple of the present value; a share counts from nothing."""
    now, there = (max(value or 0.0, 0.01) for value in (flip.now, flip.turns_at))
    return abs(math.log(there / now))


def _nearest(unmet: Unmet) -> str:
    where = f"{unmet.architecture} on {unmet.gpu} ({unmet.parallelism})"
    if unmet.bound == "gpus":
        return (
            f"{where}: the rate takes {unmet.least:,.0f} GPUs, {unmet.asked:,.0f} are there ({usd(unmet.usd_per_hour)} an hour)"
        )
    return (
        f"{where}: {LIMITS[unmet.bound]} can be {number(unmet.least)} s at best, {number(unmet.least / unmet.asked)} times the "
        f"{number(unmet.asked)} s asked"
    )


def _name(design: Design) -> str:
    prefill = f", prefill on {design.prefill_gpu}" if design.prefill_gpu and design.prefill_gpu != design.gpu else ""
    return f"{design.architecture} ({design.parallelism}{prefill})"


def _copies(design: Design) -> str:
    if design.architecture == "disaggregated":
        return (
            f"{design.prefill_workers:,} prefill workers on {design.prefill_gpus:,}, {design.decode_workers:,} decode on "
            f"{design.decode_gpus:,}"
        )
    return f"{design.copies:,} x {design.gpus // design.copies}"


def _interval(design: Design) -> str:
    if design.low_usd_per_mtok_output is None:
        return "(no interval)"
    high = usd(design.high_usd_per_mtok_output) if design.high_usd_per_mtok_output is not None else "beyond the contract"
    return f"(5 % {usd(design.low_usd_per_mtok_output)}, 95 % {high})"


def _term(term: str) -> str:
    return term.replace("_", " ")

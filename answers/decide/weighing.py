"""Choices side by side: the best system of each accelerator and design, what it costs, and how sure it is the cheapest."""

from dataclasses import replace

import numpy as np
import polars as pl

from answers.decide.known import Facts, Known
from answers.decide.record import Checked, Design, Latency, ServingQuestion
from answers.decide.sizing import Field, at_load, copies_of
from assets.serving.engine_contract import held
from assets.serving.engine_curves import BOUNDS
from economics.units import Array

DRAWS, SEED = 2000, 2026
BAND = (0.05, 0.95)
NORMAL_90 = 1.6449
SHARED = 0.5
"""Share of the variance of the model's error that systems of one engine on one accelerator have in common: the same runs
corrected them. Set so that stated and kept chances agree over measured pairs (docs/serving.md)."""
CORE, WIDE, WIDE_SHARE = 0.28, 2.5, 0.06
"""Errors of most systems over the width of their interval, of some, and how many those are.

Source: benchmarks/bench_decide.py, pairs of measured systems."""
SHIFTS = np.linspace(-2.6, 2.6, 27)
"""Standard deviations of the model's error at which a cost is computed; between them it is interpolated."""
TIE = 1e-9
SIMULATED = 3
"""Choices that are simulated: the winner by the closed forms and the next."""
SIMPLER = "colocated"
"""Of designs that cost the same the one without pools is told."""
STATED, USUAL = "as you stated it", "on_demand"


def best_places(field: Field, copies: Array) -> list[int]:
    """Of every accelerator and design the place of the cheapest system; colocated before pools where both cost the same."""
    usd = field.usd_per_hour * copies
    order = pl.DataFrame(
        {
            "place": np.arange(len(field)),
            "usd": np.where(np.isnan(usd), np.inf, usd),
            "apart": field.systems["disaggregated"],
            "gpu": field.systems["gpu"],
            "size": field.systems["gpus"],
        }
    ).filter(pl.col("usd").is_finite())
    best = order.sort("usd", "size").group_by("gpu", "apart", maintain_order=True).first()
    return best.sort("usd", "apart", "size")["place"].to_list()


def designs_of(field: Field, q: ServingQuestion, known: Known) -> tuple[Design, ...]:
    """The best system of each accelerator and design, cheapest first, terms of rent apart; those that cannot are left out.

    The first of the market that is told first are simulated, and told at the size that holds there.
    """
    copies = copies_of(field)
    if q.gpus is not None:
        copies = np.where(copies * field.curves.gpus <= q.gpus, copies, np.inf)
    places = best_places(field, copies)
    if not places:
        return ()
    chosen = field.rows(np.array(places))
    sized = copies[places]
    markets = markets_of([str(known.rents[gpu]["term"]) for gpu in chosen.systems["gpu"]])
    first = [place for place, market in enumerate(markets) if market == markets_first(markets)][:SIMULATED]
    seen = at_load(chosen, requests_per_s=q.sized_for_per_s / sized)
    verified = _verified(chosen, sized, first, seen["concurrency"], q, known)
    costs, ranked = drawn_usd_per_hour(chosen, q, known)
    found = [_design(chosen, place, sized[place], seen, verified.get(place), q, known) for place in range(len(chosen))]
    # Draws keep the spread of the closed form around the bill that the simulation says.
    bills = np.array([design.usd_per_hour for design in found]) / (chosen.usd_per_hour * sized)
    costs, ranked = costs * bills[:, None], ranked * bills[:, None]
    chances, sure = chances_of(ranked, markets), np.isfinite(chosen.curves.factor)
    per_output = 1e6 / (3600.0 * q.requests_per_s * q.output_tokens)
    for place, design in enumerate(found):
        low, high = np.quantile(costs[place], BAND, method="nearest") * per_output
        if sure[place]:
            found[place] = replace(
                design,
                chance_cheapest=chances[place],
                low_usd_per_mtok_output=known_number(low),
                high_usd_per_mtok_output=known_number(high),
            )

    def rank(place: int) -> tuple[bool, bool, float, bool]:
        design = found[place]
        breaks = design.checked is not None and not design.checked.holds
        return (markets[place] != markets_first(markets), breaks, round(design.usd_per_hour, 6), design.architecture != SIMPLER)

    within = [place for place in range(len(found)) if q.gpus is None or found[place].gpus <= q.gpus]
    return tuple(found[place] for place in sorted(within, key=rank))


def _verified(
    chosen: Field, sized: Array, places: list[int], in_flight: Array, q: ServingQuestion, known: Known
) -> dict[int, tuple[Facts, int, Checked]]:
    """The systems at these places, simulated: at what size, how many copies, and what their requests see."""
    from answers.decide.checking import checked  # noqa: PLC0415  # the compiled simulation takes a moment to load

    open_ended = {name: np.full(len(chosen), np.inf) if name == "ttft" else chosen.bounds[name] for name in BOUNDS}
    fewest = copies_of(replace(chosen, bounds=open_ended))
    return {
        place: checked(
            chosen.systems.row(place, named=True),
            int(sized[place]),
            fewest=int(fewest[place]),
            q=q,
            known=known,
            transfer_s=float(chosen.transfer_s[place]),
            in_flight=float(in_flight[place]),
        )
        for place in places
    }


def _design(
    chosen: Field,
    place: int,
    copies: float,
    seen: dict[str, Array],
    verified: tuple[Facts, int, Checked] | None,
    q: ServingQuestion,
    known: Known,
) -> Design:
    """One choice in dollars, at the size of the simulation where there was one; its interval is added by the draws."""
    system, whole, check = verified or (chosen.systems.row(place, named=True), int(copies), None)
    said = chosen.curves.said.row(place, named=True)
    there = held(chosen.curves, chosen.bounds)
    usd = known_usd_per_hour(system, known) * whole
    return Design(
        architecture="disaggregated" if system["disaggregated"] else "colocated",
        gpu=system["gpu"],
        prefill_gpu=system["prefill_gpu"],
        engine=system["engine"],
        precision=system["precision"],
        parallelism=parallelism(system),
        copies=whole,
        gpus=int(whole * system["gpus"]),
        prefill_gpus=int(whole * (system["prefill_gpus"] or 0)),
        prefill_workers=int(whole * (system["prefill_workers"] or 0)),
        decode_gpus=int(whole * (system["decode_gpus"] or 0)),
        decode_workers=int(whole * (system["decode_workers"] or 0)),
        usd_per_gpu_hour=float(known.rents[system["gpu"]]["usd_per_gpu_hour"]),
        term=str(known.rents[system["gpu"]]["term"]),
        usd_per_hour=usd,
        usd_per_mtok_output=usd * 1e6 / (3600.0 * q.requests_per_s * q.output_tokens),
        low_usd_per_mtok_output=None,
        high_usd_per_mtok_output=None,
        usd_per_mtok_input=usd * 1e6 / (3600.0 * q.requests_per_s * q.input_tokens),
        usd_per_mtok_total=usd * 1e6 / (3600.0 * q.requests_per_s * (q.input_tokens + q.output_tokens)),
        usd_per_request=usd / (3600.0 * q.requests_per_s),
        requests_per_s_held=float(there["requests_per_s"][place] * copies),
        concurrency=float(seen["concurrency"][place]),
        latency=Latency(**{f"{name}_s": known_number(seen[name][place]) for name in BOUNDS}),
        limit=[*BOUNDS, "room"][int(there["limit"][place])],
        chance_cheapest=None,
        basis=said["basis"],
        nearest_run=said["nearest_run"],
        distance=said["distance"],
        checked=check,
    )


def known_usd_per_hour(system: Facts, known: Known) -> float:
    """What all GPUs of one system cost an hour."""
    prefill = float(system["prefill_gpus"] or 0.0)
    own, other = (
        float(known.rents[gpu]["usd_per_gpu_hour"]) for gpu in (system["gpu"], system["prefill_gpu"] or system["gpu"])
    )
    return own * (float(system["gpus"]) - prefill) + other * prefill


def markets_of(terms: list[str]) -> list[str]:
    """The market each choice is ranked in: its term; what you pay yourself competes in the first."""
    rented = [term for term in terms if term != STATED]
    first = USUAL if USUAL in rented or not rented else rented[0]
    return [first if term == STATED else term for term in terms]


def markets_first(markets: list[str]) -> str:
    """The market that is told first: on demand where something can be rented so, else that of the cheapest."""
    return USUAL if USUAL in markets else markets[0]


def drawn_usd_per_hour(field: Field, q: ServingQuestion, known: Known) -> tuple[Array, Array]:
    """Dollars per hour of each system over draws of rent and model error: for intervals and for ranks, (n, DRAWS) each.

    Passes take exp(s z) times as long; s is the standard deviation that the interval of the prediction stands for. Part of z
    is common to an engine on an accelerator. That interval covers nine groups of ten, so that it is wide for a comparison:
    there most errors are CORE of it, and some WIDE, as pairs of measured systems say.
    """
    shifts = np.stack([_usd_at(field, q, shift) for shift in SHIFTS])  # (shifts, n)
    common: dict[tuple[str, str], Array] = {}
    rents: dict[str, Array] = {}
    stream = np.random.default_rng(SEED)
    spread, ranked = np.empty((len(field), DRAWS)), np.empty((len(field), DRAWS))
    for place, (gpu, engine) in enumerate(field.systems.select("gpu", "engine").iter_rows()):
        if gpu not in rents:
            rents[gpu] = _rent_draws(known.rents[gpu], stream)
        if (gpu, str(engine)) not in common:
            common[gpu, str(engine)] = stream.standard_normal(DRAWS)
        errors = np.sqrt(SHARED) * common[gpu, str(engine)] + np.sqrt(1.0 - SHARED) * stream.standard_normal(DRAWS)
        typical = errors * np.where(stream.uniform(size=DRAWS) < WIDE_SHARE, WIDE, CORE)
        spread[place], ranked[place] = (_billed(shifts[:, place], each) * rents[gpu] for each in (errors, typical))
    return spread, ranked


def _billed(shifted: Array, errors: Array) -> Array:
    """Dollars per hour at errors in standard deviations, between those at SHIFTS; inf beyond the last that meets the bounds."""
    finite = np.isfinite(shifted)
    if not finite.any():
        return np.full(len(errors), np.inf)
    usd = np.exp(np.interp(errors, SHIFTS[finite], np.log(shifted[finite])))
    last = SHIFTS[finite][-1]
    return np.where((errors <= last + 1e-9) | (last >= SHIFTS[-1] - 1e-9), usd, np.inf)


def chances_of(costs: Array, terms: list[str]) -> list[float]:
    """Share of the draws in which each choice is the cheapest of those of its term, (n,)."""
    found = np.zeros(len(terms))
    for term in set(terms):
        mine = np.array([place for place, other in enumerate(terms) if other == term])
        least = costs[mine].min(axis=0)
        first = np.argmax(costs[mine] <= least * (1.0 + TIE), axis=0)
        found[mine] = [float(np.mean((first == place) & np.isfinite(least))) for place in range(len(mine))]
    return found.tolist()


def parallelism(system: Facts) -> str:
    """How a system is split, in words."""
    if not system["disaggregated"]:
        return _split(system["tp"] or 1, apart=system["dp_attention"], stages=system["pp"] or 1)
    each = {pool: system[f"{pool}_gpus"] / system[f"{pool}_workers"] for pool in ("prefill", "decode")}
    said = (f"{pool} {_split(gpus, apart=system[f'{pool}_dp_attention'])}" for pool, gpus in each.items())
    return ", ".join(said)


def _split(gpus: float, *, apart: bool | None, stages: float = 1.0) -> str:
    name = f"EP {gpus:.0f} with attention in parallel" if apart else f"TP {gpus:.0f}"
    return name + (f", PP {stages:.0f}" if stages > 1 else "")


def _usd_at(field: Field, q: ServingQuestion, shift: float) -> Array:
    """Dollars per hour if passes take `shift` standard deviations longer than predicted, (n,); inf where the bounds break.

    Fractions of a copy change the bill in proportion; the whole copies of the answer stay its centre. Pools can lose workers,
    an instance stands or falls.
    """
    factor = np.where(np.isfinite(field.curves.factor), field.curves.factor, 1.0)
    workers = field.systems.select(pl.min_horizontal(pl.col("prefill_workers", "decode_workers").fill_null(1.0))).to_series()
    fewest = 1.0 / workers.to_numpy()

    def needed(slower: Array | float) -> Array:
        rate = held(field.curves, field.bounds, slower=slower)["requests_per_s"]
        fine = np.isfinite(rate) & (rate > 0.0)
        return np.where(fine, np.maximum(q.sized_for_per_s / np.where(fine, rate, 1.0), fewest), np.inf)

    exact, here = needed(1.0), copies_of(field)
    whole = np.where(np.isfinite(here), here / np.where(np.isfinite(exact), exact, 1.0), 1.0)
    return field.usd_per_hour * needed(factor ** (shift / NORMAL_90)) * whole


def _rent_draws(rent: Facts, stream: np.random.Generator) -> Array:
    """Rent over its value: half below it and half above, between the lowest and the highest of its sellers."""
    low, high, middle = (float(rent[name]) for name in ("low_usd_per_gpu_hour", "high_usd_per_gpu_hour", "usd_per_gpu_hour"))
    at = stream.uniform(size=DRAWS)
    if not low < high:
        return np.ones(DRAWS)
    return np.interp(at, (0.0, 0.5, 1.0), (low, middle, high)) / middle


def known_number(value: float) -> float | None:
    """The number; None where it is not finite."""
    return float(value) if np.isfinite(value) else None

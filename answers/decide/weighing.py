"""Weigh the designs of one scenario: costs with intervals, distance to the break-evens, what would flip the answer."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from answers.decide.record import Design, Margin, NearestContract, Share
from economics.numeric.draws import Lognormal, Uniform, draw
from economics.serving.break_even import break_even_bandwidth, break_evens
from economics.serving.cost import cost
from economics.serving.deployment import deployment, pool_held
from economics.serving.feasibility import feasibility
from economics.serving.nearest_contract import nearest_contract
from economics.serving.scenarios import ACHIEVED_LINK_SHARES, MEASURED_OVERLAP, Facts
from economics.serving.symbols import Efficiency, Scenario
from economics.units import Real

PREFERRED = ("chunked", "unchunked", "disaggregated")
"""Order in which designs of equal cost are named: colocated before split, and of those the one that stalls nobody."""
TIE = 1e-9
DRAWS, SEED = 2000, 2026
BAND = (0.05, 0.95)
GBPS = 1e9 / 8.0
"""Bytes per second in a Gbit/s."""


def at_the_rate(scenario: Scenario) -> Scenario:
    """The scenario with places kept free, as the rate needs them; at scale, where break-evens hold, they cost nothing.

    Against simulation it is the closer promise for colocated designs on every stream (marts.serving_validation).
    """
    return replace(scenario, refinements=replace(scenario.refinements, place_queue=True))


def paid_usd_per_mtok(scenario: Scenario) -> dict[str, float]:
    """$ per million output tokens of each design in whole replicas; inf where it cannot meet the contract."""
    sized = at_the_rate(scenario)
    return {name: float(deployment(scenario=sized, architecture=name).usd_per_mtok) for name in PREFERRED}


def cheapest(usd_per_mtok: dict[str, float]) -> str | None:
    """The cheapest design, of equals the preferred one; None if none can meet the contract."""
    least = min(usd_per_mtok.values())
    if not np.isfinite(least):
        return None
    return next(name for name in PREFERRED if usd_per_mtok[name] <= least * (1.0 + TIE))


def with_draws(scenario: Scenario, *, price: Facts, shares: tuple[Share, ...]) -> Scenario:
    """The scenario with its uncertain inputs as draws: rent (if it has an interval), MFU, MBU, achieved link share."""

    def drawn(name: str, quantity: Uniform | Lognormal) -> NDArray[np.float64]:
        return draw(quantity, name=name, seed=SEED, draws=DRAWS).ravel()

    rent: Real = scenario.hardware.usd_per_gpu_hour
    if price and price["low_usd_per_gpu_hour"] < price["high_usd_per_gpu_hour"]:
        sellers = Lognormal(low=price["low_usd_per_gpu_hour"], high=price["high_usd_per_gpu_hour"])
        rent = drawn("usd_per_gpu_hour", sellers)
    low, high = ACHIEVED_LINK_SHARES
    nominal = scenario.transfer.bandwidth_bytes_per_s
    # A drawn share of a nominal link: the refinement that stands for its middle has to go.
    return replace(
        scenario,
        hardware=replace(scenario.hardware, usd_per_gpu_hour=rent),
        efficiency=Efficiency(
            **{share.name: spread_of(share, at=drawn(share.name, Uniform(low=0.0, high=1.0))) for share in shares}
        ),
        transfer=replace(
            scenario.transfer, bandwidth_bytes_per_s=nominal * drawn("achieved_link_share", Uniform(low=low, high=high))
        ),
        refinements=replace(scenario.refinements, achieved_link_share=1.0),
    )


def spread_of(share: Share, *, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of a share at the given probabilities: half below its value and half above, equally likely on each side."""
    return np.interp(at, (0.0, 0.5, 1.0), (share.low, share.value, share.high))


def designs_of(scenario: Scenario, drawn: Scenario) -> tuple[Design, ...]:
    """Every design with its interval over the draws, the cheapest first."""
    here, there = at_the_rate(scenario), at_the_rate(drawn)
    costs = np.stack([deployment(scenario=there, architecture=name).usd_per_mtok for name in PREFERRED])
    least = costs.min(axis=0)
    first = np.argmax(costs <= least * (1.0 + TIE), axis=0)  # of equals the preferred one, as in `cheapest`
    designs = []
    for at, name in enumerate(PREFERRED):
        sized, (low, high) = deployment(scenario=here, architecture=name), _band(costs[at])
        at_scale = cost(scenario=scenario, architecture=name)
        designs.append(
            Design(
                architecture=name,
                usd_per_mtok=known(sized.usd_per_mtok),
                low_usd_per_mtok=known(low),
                high_usd_per_mtok=known(high),
                usd_per_mtok_at_scale=known(at_scale.usd_per_mtok),
                chance_feasible=float(np.mean(np.isfinite(costs[at]))),
                chance_cheapest=float(np.mean((first == at) & np.isfinite(least))),
                gpus=_count(sized.gpus),
                prefill_replicas=_count(sized.prefill_replicas),
                decode_replicas=_count(sized.decode_replicas),
                usd_per_hour=known(sized.usd_per_hour),
                running_sequences=known(at_scale.batch) if at_scale.feasible else None,
                broken_bounds=_broken_bounds(scenario, name),
            )
        )
    return tuple(sorted(designs, key=lambda design: _or_inf(design.usd_per_mtok)))


def margins_of(scenario: Scenario, drawn: Scenario) -> tuple[Margin, ...]:
    """Break-even values on every axis with their intervals over the draws, the nearest first."""
    here, spread = break_evens(scenario), break_evens(drawn)
    bandwidth, bandwidths = (break_even_bandwidth(pool_held(one)) for one in (scenario, drawn))
    per_gpu = GBPS * scenario.hardware.gpus
    # The draws hold achieved links; the axis is nominal.
    achieved = drawn.transfer.bandwidth_bytes_per_s / scenario.transfer.bandwidth_bytes_per_s
    margins = [
        _margin(
            axis="tpot-p99",
            unit="s",
            now=scenario.contract.tpot_s,
            value=here.tpot_s,
            draws=spread.tpot_s,
            wins_below=True,
        ),
        _margin(
            axis="kv-gbps",
            unit="Gbit/s per GPU",
            now=scenario.transfer.bandwidth_bytes_per_s / per_gpu,
            value=bandwidth / per_gpu,
            draws=bandwidths / per_gpu / achieved,
        ),
        _margin(
            axis="in per out",
            unit="tokens per token",
            now=scenario.workload.input_per_output,
            value=here.input_per_output,
            draws=spread.input_per_output,
        ),
        _margin(
            axis="rate",
            unit="requests/s",
            now=scenario.workload.arrival_rate_per_s or 0.0,
            value=here.arrival_rate_per_s,
            draws=spread.arrival_rate_per_s,
        ),
    ]
    return tuple(sorted(margins, key=lambda margin: abs(np.log(margin.times)) if margin.times else np.inf))


def _margin(*, axis: str, unit: str, now: Real, value: Real, draws: Real, wins_below: bool = False) -> Margin:
    crosses = bool(np.isfinite(value) and np.greater(value, 0.0))
    if crosses:
        side = "below" if wins_below else "above"
    elif np.isnan(value):
        side = "neither"
    else:
        side = "always" if np.isposinf(value) == wins_below else "never"
    low, high = _band(np.broadcast_to(np.asarray(draws), (DRAWS,)))
    return Margin(
        axis=axis,
        unit=unit,
        now=float(now),
        disaggregation_is_cheaper=side,
        break_even=float(value) if crosses else None,
        low=known(low),
        high=known(high),
        times=float(value) / float(now) if crosses else None,
    )


def flips_of(
    scenario: Scenario,
    *,
    winner: str,
    margins: tuple[Margin, ...],
    designs: tuple[Design, ...],
    by_setting: dict[str, str | None],
) -> tuple[str, ...]:
    """What would change the answer, in words: symbols by distance, then the switches, then the rate."""
    at_scale = {design.architecture: _or_inf(design.usd_per_mtok_at_scale) for design in designs}
    leader, other = "chunked", "disaggregated"
    if at_scale[other] < at_scale[leader]:
        leader, other = other, leader
    # What is paid at this rate may have another winner, which these break-even values do not turn.
    turn = f"{leader} to {other}" if leader == winner else f"{leader} to {other} at scale"
    said = [
        f"{margin.axis} {'above' if margin.times > 1.0 else 'below'} {margin.break_even:.4g} {margin.unit} "
        f"(now {margin.now:.4g}, x{margin.times:.3g}): {turn}"
        for margin in margins
        if margin.break_even is not None and margin.times is not None and _favoured(margin) == leader
    ]
    overlap = overlap_break_even(scenario)
    if overlap is not None:
        side = "above" if leader == "disaggregated" else "below"
        said.append(
            f"memory and compute of a mixed step overlapping by {side} {overlap:.2f} (now {scenario.refinements.overlap:.2f}, "
            f"measured {MEASURED_OVERLAP:.2f} on a small batch): {turn}"
        )
    said += [f"{name} switches: {winner} to {found or 'none'}" for name, found in by_setting.items() if found != winner]
    full = {name: float(deployment(scenario=scenario, architecture=name).usd_per_mtok) for name in PREFERRED}
    if cheapest(full) != winner:
        said.append(f"no places kept free for the next prompt (place_queue): {winner} to {cheapest(full) or 'none'}")
    best = min(at_scale, key=lambda name: at_scale[name])
    if at_scale[winner] > at_scale[best] * (1.0 + TIE):
        said.append(f"a rate so high that whole replicas do not matter: {winner} to {best}")
    return tuple(said)


def _favoured(margin: Margin) -> str:
    """Which side of the break-even the present value is on. Where costs cross twice it may not be the cheaper side."""
    above = margin.now > (margin.break_even or 0.0)
    return "disaggregated" if above == (margin.disaggregation_is_cheaper == "above") else "chunked"


def overlap_break_even(scenario: Scenario) -> float | None:
    """Overlap from which chunked colocation costs no more than disaggregation, to .01; None if nothing turns there."""
    shares = np.linspace(0.0, 1.0, 101)
    split = float(cost(scenario=scenario, architecture="disaggregated").usd_per_token)
    switches = replace(scenario.refinements, overlap=shares)
    mixed = cost(scenario=replace(scenario, refinements=switches), architecture="chunked").usd_per_token
    cheaper = np.asarray(mixed) <= split
    return None if cheaper.all() or not cheaper.any() else float(shares[int(np.argmax(cheaper))])


def nearest_contracts(by_size: dict[float, Scenario]) -> tuple[NearestContract, ...]:
    """For each design the nearest contract it can meet over all replica sizes, the nearest of them first."""
    found = []
    for name in PREFERRED:
        reached = [
            (nearest.distance, gpus, nearest)
            for gpus, scenario in by_size.items()
            if (nearest := nearest_contract(scenario=scenario, architecture=name)) is not None
        ]
        if not reached:
            continue
        distance, gpus, nearest = min(reached, key=lambda one: one[:2])
        eased = replace(by_size[gpus].contract, ttft_s=nearest.ttft_s, tpot_s=nearest.tpot_s)
        there = deployment(scenario=at_the_rate(replace(by_size[gpus], contract=eased)), architecture=name)
        found.append(
            (
                distance,
                NearestContract(
                    architecture=name,
                    gpus_per_replica=int(gpus),
                    ttft_p99_s=nearest.ttft_s,
                    tpot_p99_s=nearest.tpot_s,
                    usd_per_mtok=known(there.usd_per_mtok),
                ),
            )
        )
    return tuple(contract for _, contract in sorted(found, key=lambda one: one[0]))


def known(value: Real) -> float | None:
    """The number; None where it is not finite."""
    return float(value) if np.isfinite(value) else None


def _broken_bounds(scenario: Scenario, architecture: str) -> tuple[str, ...]:
    """Bounds that fail, each with what there is and the nearest value that would hold."""
    bounds = feasibility(scenario=scenario, architecture=architecture)
    return tuple(
        f"{name} is {float(bound.available):.4g} and must be at least {float(bound.required):.4g}"
        for name, bound in bounds.items()
        if not bound.holds and np.isfinite(bound.required)  # beyond that another bound has to give first
    )


def _band(draws: ArrayLike) -> tuple[float, float]:
    """Quantiles of draws; a missing one counts as unbounded, and none lies between a number and infinity."""
    values = np.asarray(draws, dtype=np.float64)
    low, high = np.quantile(np.where(np.isnan(values), np.inf, values), BAND, method="nearest")
    return float(low), float(high)


def _or_inf(value: float | None) -> float:
    return np.inf if value is None else value


def _count(value: Real) -> int | None:
    return int(value) if np.isfinite(value) else None

"""Where disaggregated serving starts to pay against chunked colocation, along each axis of the question.

Both costs are sums of terms that one symbol moves at a time, so the balance inverts: along the bandwidth and the
arrival rate for any refinement, along the token ratio for any dense model, along the TPOT bound where batch limits are
plain divisions. Elsewhere a bracketing root finder moves the one symbol with everything else computed once.

A break-even value does not depend on the scenario's own value on that axis. It keeps pools divisible: integer_pools
and place_queue move the costs at a point, not these. NaN marks points where neither architecture can meet the contract.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from economics.serving.balance import Balance, balance
from economics.serving.break_even_search import RATIO_RANGE, numeric_ratio, numeric_tpot
from economics.serving.chunked import chunked_lines
from economics.serving.prefill_pool import exposed_transfer_bytes, promised_percentile
from economics.serving.queueing import idle_servers
from economics.serving.step_time import stated
from economics.serving.symbols import Scenario
from economics.units import Flag, Real, is_on, kept

_ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class BreakEvens:
    """Break-even values on every axis, each with the other symbols as they are."""

    input_per_output: Real
    """Disaggregation is cheaper above."""
    arrival_rate_per_s: Real
    """Disaggregation is cheaper above."""
    bandwidth_bytes_per_s: Real
    """Disaggregation is cheaper above."""
    tpot_s: Real
    """Disaggregation is cheaper below."""


def break_evens(scenario: Scenario) -> BreakEvens:
    """Break-even values on every axis at once; see the functions of the single axes."""
    b = balance(scenario)
    return BreakEvens(
        input_per_output=_ratio(scenario, b),
        arrival_rate_per_s=_arrival_rate(scenario, b),
        bandwidth_bytes_per_s=_bandwidth(scenario, b),
        tpot_s=_tpot(scenario, b),
    )


def break_even_bandwidth(scenario: Scenario) -> Real:
    """Bandwidth of the KV transfer above which disaggregation is cheaper: W_be.

    The balance is quadratic in the exposed transfer time t, p q / (Z - t) + h t = G, whose smaller root is the longest
    transfer that pays. With prefill_replicas stated the pool is held; with an arrival rate it is divisible.
    Returns bytes/s of nominal bandwidth; inf where no bandwidth is enough, 0 where nothing is exposed and it pays.
    Source: formula S9.
    """
    return _bandwidth(scenario, balance(scenario))


def break_even_arrival_rate(scenario: Scenario) -> Real:
    """Arrival rate above which disaggregation is cheaper: large prefill pools queue less and run fuller.

    With u* the utilisation at balance the pool needs more than a / (1 - u*) replicas, a being the servers that the TTFT
    bound keeps idle; the rate is where ceil(lambda s + a) first reaches that many.
    Returns requests/s; 0 where the smallest pool will do, inf where no pool will.
    Source: formula S9.
    """
    return _arrival_rate(scenario, balance(scenario))


def break_even_ratio(scenario: Scenario) -> Real:
    """Input tokens per output token above which disaggregation is cheaper, at a fixed prompt length: r_be.

    Chunked cost is the largest of lines in r and disaggregated cost is one line, so this is where that line goes below
    for good; with unequal prices, pools or TTFT coupling it may also start below. Returns tokens per token; 0 where
    disaggregation is cheaper at every r, inf where it is not cheaper at any large r.
    Source: formula S9; numeric where a step touches more experts in a larger batch.
    """
    return _ratio(scenario, balance(scenario))


def break_even_tpot(scenario: Scenario) -> Real:
    """TPOT bound below which disaggregation is cheaper, coming from loose bounds: t_w (1 + sigma_be).

    Returns seconds; inf where disaggregation is cheaper at any loose bound, 0 where it is at no feasible bound. Where
    refinements let costs cross more than once (about one random scenario in a hundred) it is one of the crossings.
    Source: formula S9; numeric where refinements bend the batch limits.
    """
    return _tpot(scenario, balance(scenario))


def _bandwidth(scenario: Scenario, b: Balance) -> Real:
    workload, service_s = scenario.workload, b.prefill.service_s
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        room_s = scenario.contract.ttft_s - service_s
        # Idle servers are queue_s over the slack; 1 / u = 1 + wait_s / (room_s - t).
        queue_s = idle_servers(slack_s=1.0, service_s=service_s, percentile=promised_percentile(scenario))
        if workload.prefill_replicas is not None:
            wait_s = np.divide(queue_s, workload.prefill_replicas)
            room_s = room_s - wait_s
        else:
            wait_s = np.divide(queue_s, stated("arrival_rate_per_s", workload.arrival_rate_per_s) * service_s)
        colocated, decode = _costs_but_prefill(scenario, b)
        gain = (colocated - decode) / workload.input_per_output - b.prefill_usd
        surplus = gain * room_s - b.prefill_usd * wait_s
        linear = gain + b.held_usd_per_s * room_s
        discriminant = np.maximum(linear * linear - 4.0 * b.held_usd_per_s * surplus, 0.0)
        # Without a surplus, also where the gain is negative, no transfer is short enough.
        longest_s = np.fmax(2.0 * np.maximum(surplus, 0.0) / (linear + np.sqrt(discriminant)), 0.0)
        alone = np.isposinf(gain)
        if np.any(alone):
            longest_s = np.where(alone, np.maximum(room_s, 0.0), longest_s)
        in_time = np.greater(room_s, 0.0)
        longest_s = kept(longest_s, in_time, otherwise=0.0)
        exposed_bytes = exposed_transfer_bytes(scenario)
        bandwidth = exposed_bytes / longest_s
        if not np.all(np.greater(exposed_bytes, 0.0)):
            bandwidth = np.where(np.greater(longest_s, 0.0), bandwidth, np.inf)
    return _known(bandwidth, disaggregated=np.isfinite(decode) & in_time, colocated=np.isfinite(colocated))


def _arrival_rate(scenario: Scenario, b: Balance) -> Real:
    service_s = b.prefill.service_s
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        idle = idle_servers(
            slack_s=scenario.contract.ttft_s - service_s - b.prefill.transfer_s,
            service_s=service_s,
            percentile=promised_percentile(scenario),
        )
        colocated, decode = _costs_but_prefill(scenario, b)
        affordable = (colocated - decode) / scenario.workload.input_per_output
        utilisation = b.prefill_usd / (affordable - b.held_usd_per_s * b.prefill.transfer_s)
        fewest = np.floor(idle / (1.0 - utilisation)) + 1.0
        rate: Real = np.maximum(fewest - 1.0 - idle, 0.0) / service_s
        pays = np.greater_equal(utilisation, 0.0) & np.less(utilisation, 1.0) & np.isfinite(idle)
        rate = kept(rate, pays, otherwise=np.inf)
    return _known(rate, disaggregated=np.isfinite(decode) & np.isfinite(idle), colocated=np.isfinite(colocated))


def _ratio(scenario: Scenario, b: Balance) -> Real:
    tpot_s, decode = scenario.contract.tpot_s, b.decode
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        start, slope = decode.decode_usd(tpot_s), b.disaggregated_usd_per_input_token
        start = kept(start, b.disaggregated_possible & np.greater_equal(tpot_s, b.alone_s), otherwise=np.inf)
        if is_on(decode.step.expert_s):
            ratio = numeric_ratio(decode, start=start, slope=slope, tpot_s=tpot_s)
            colocates: Flag = np.isfinite(decode.colocated_usd(RATIO_RANGE[0], tpot_s))
        else:
            lines = list(chunked_lines(decode.chunked, tpot_s=tpot_s))
            ratio = _closed_ratio(decode.colocated_usd_per_s, lines, start=start, slope=slope)
            colocates = reduce(np.logical_and, (np.isfinite(line_start) for line_start, _ in lines))
    colocates = colocates & b.colocated_possible & np.greater_equal(tpot_s, b.alone_s)
    ratio = kept(ratio, colocates, otherwise=0.0)
    return _known(ratio, disaggregated=np.isfinite(start) & np.isfinite(slope), colocated=colocates)


def _closed_ratio(price: Real, lines: list[tuple[Real, Real]], *, start: Real, slope: Real) -> Real:
    """Where the line of disaggregation goes below some line of colocation for good."""
    start, slope = start / price, slope / price
    # Starts that differ by rounding alone are one start.
    early, late = start * (1.0 - _ROUNDING), start * (1.0 + _ROUNDING)
    above: Real = np.inf
    below: Real = -np.inf
    for line_start, line_slope in lines:
        gain = line_slope - slope
        # Division by zero is meant: it says never, or always.
        above = np.fmin(above, np.maximum(early - line_start, 0.0) / np.maximum(gain, 0.0))
        below = np.fmax(below, (line_start - late) / np.abs(np.minimum(gain, 0.0)))
    # It is below colocation up to `below`, and from `above` on: together they may leave no gap.
    return kept(above, np.less(below, above), otherwise=0.0)


def _tpot(scenario: Scenario, b: Balance) -> Real:
    ratio = scenario.workload.input_per_output
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        fixed = b.disaggregated_usd_per_input_token * ratio
        closed = has_closed_tpot(scenario)
        tpot = (_closed_tpot if closed else numeric_tpot)(b, fixed=fixed, input_per_output=ratio)
        tpot = kept(tpot, np.greater_equal(tpot, b.alone_s), otherwise=0.0)
        tpot = kept(tpot, b.colocated_possible, otherwise=np.inf)
    split: Flag = b.disaggregated_possible & np.isfinite(fixed)
    return kept(kept(tpot, split, otherwise=0.0), np.logical_or(split, b.colocated_possible), otherwise=np.nan)


def has_closed_tpot(scenario: Scenario) -> bool:
    """Whether every batch limit is a plain division by the TPOT slack, so that break_even_tpot is closed."""
    refinements = scenario.refinements
    return not (
        refinements.ttft_coupling
        or refinements.decode_compute_bound
        or refinements.experts_touched
        or is_on(refinements.overlap)
        or is_on(refinements.draft_tokens)
    )


def _closed_tpot(b: Balance, *, fixed: Real, input_per_output: Real) -> Real:
    """The gap is piecewise linear in z = 1 / (S - t_w): flat while memory binds both, falling, then of any slope."""
    decode, chunked, step = b.decode, b.decode.chunked, b.decode.step
    fewest = np.divide(1.0, chunked.memory_batch)
    prefill_s = input_per_output * chunked.prefill_s_per_input_token
    gap = fixed + decode.decode_usd_per_s * step.sequence_s
    gap = gap - decode.colocated_usd_per_s * (prefill_s + step.sequence_s)
    split, mixed = decode.decode_usd_per_s * step.weight_s, decode.colocated_usd_per_s * step.weight_s
    mixed_slope = mixed * (step.sequence_s + prefill_s / chunked.chunk_utilisation)
    chunked_bound = (gap + split * fewest) / mixed_slope
    both_slope = mixed_slope - split * step.sequence_s
    both_bound = np.where(np.greater(both_slope, 0.0), gap / both_slope, np.inf)
    inverse = np.where(chunked_bound <= fewest / step.sequence_s, chunked_bound, both_bound)
    always = np.less_equal(gap + (split - mixed) * fewest, 0.0)
    return np.where(always, np.inf, step.weight_s + 1.0 / inverse)


def _costs_but_prefill(scenario: Scenario, b: Balance) -> tuple[Real, Real]:
    """Chunked colocation, and the decode pool of disaggregation, $ per output token; inf where a bound fails."""
    tpot_s = scenario.contract.tpot_s
    quick = np.greater_equal(tpot_s, b.alone_s)
    colocated = b.decode.colocated_usd(scenario.workload.input_per_output, tpot_s)
    return (
        kept(colocated, b.colocated_possible & quick, otherwise=np.inf),
        kept(b.decode.decode_usd(tpot_s), b.disaggregated_possible & quick, otherwise=np.inf),
    )


def _known(value: Real, *, disaggregated: Flag, colocated: Flag) -> Real:
    """The value; inf where disaggregation cannot meet the contract, NaN where colocation cannot either."""
    value = kept(value, disaggregated, otherwise=np.inf)
    return kept(value, np.logical_or(disaggregated, colocated), otherwise=np.nan)

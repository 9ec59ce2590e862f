"""Break-even values where algebra has no inverse: one search over all points, everything but one symbol computed once."""

from dataclasses import dataclass

import numpy as np

from economics.numeric.root import falling_root
from economics.serving.balance import Balance, Decode
from economics.serving.chunked import chunked_batch, coupled_tpot_s, tightest_tpot_s
from economics.units import Array, Real, is_on

RATIO_RANGE = (1e-4, 1e5)
"""Input tokens per output token between which a numeric break-even is sought; beyond it reads 0 or inf."""

_SCAN_POINTS = 37
"""Four to a decade: a narrower lead of colocation is missed."""

_ROUNDING = 1e-14

COMPILED_POINTS = 20_000
"""Searches over fewer points never wait for the compiler."""


@dataclass(frozen=True, eq=False)
class _Line:
    decode: Decode
    start: Real
    slope: Real
    tpot_s: Real


def numeric_ratio(decode: Decode, *, start: Real, slope: Real, tpot_s: Real) -> Real:
    """The last change of the winner that a scan of the range shows, refined."""

    def gap(log_ratio: Array, line: _Line) -> Real:
        ratio = np.exp(log_ratio)
        split = line.start + line.slope * ratio
        return np.maximum(split - line.decode.colocated_usd(ratio, line.tpot_s), -split)

    line = _Line(decode=decode, start=start, slope=slope, tpot_s=tpot_s)
    scan = np.log(np.geomspace(*RATIO_RANGE, _SCAN_POINTS))
    low = np.asarray(-np.inf)
    for log_ratio in scan:
        low = np.where(gap(log_ratio, line) > 0.0, log_ratio, low)
    width = scan[1] - scan[0]
    held = np.clip(low, scan[0], scan[-2])
    root = falling_root(gap, low=held, high=held + width, start=held + 0.5 * width, state=line)
    return np.where(low < scan[0], 0.0, np.where(low > scan[-2], np.inf, np.exp(root)))


@dataclass(frozen=True, eq=False)
class _Crowd:
    decode: Decode
    fixed: Real
    input_per_output: Real
    memory_batch: Real


def numeric_tpot(b: Balance, *, fixed: Real, input_per_output: Real) -> Real:
    """Search over the colocated batch, of which cost and TPOT bound are explicit, from the one that fills the memory.

    In x = memory batch / batch the cost of colocation is nearly linear.
    """

    def tpot_s(batch: Array, crowd: _Crowd) -> Real:
        return tightest_tpot_s(crowd.decode.chunked, input_per_output=crowd.input_per_output, batch=batch)

    def gap(thinness: Array, crowd: _Crowd) -> Real:
        batch = crowd.memory_batch / thinness
        split = crowd.fixed + crowd.decode.decode_usd(tpot_s(batch, crowd))
        return split - crowd.decode.colocated_usd_at(crowd.input_per_output, batch)

    chunked = b.decode.chunked
    crowd = _Crowd(decode=b.decode, fixed=fixed, input_per_output=input_per_output, memory_batch=chunked.memory_batch)
    # The thinnest batch is that of the tightest bound colocation can meet.
    least_s = b.alone_s
    if is_on(chunked.service_share):
        least_s = np.maximum(least_s, coupled_tpot_s(chunked, input_per_output=input_per_output) * (1.0 + _ROUNDING))
    fewest = chunked_batch(chunked, input_per_output=input_per_output, tpot_s=least_s)
    thinnest = np.fmax(chunked.memory_batch / fewest, 1.0)
    found_s: Real
    size = np.size(thinnest + fixed + chunked.service_share)
    if size >= COMPILED_POINTS and not is_on(chunked.step.expert_s):
        root, found_s = _compiled_tpot(b, crowd=crowd, thinnest=thinnest)
    else:
        root = falling_root(gap, low=1.0, high=thinnest, start=np.sqrt(thinnest), state=crowd)
        found_s = tpot_s(chunked.memory_batch / root, crowd)
    found_s = np.where(np.isfinite(root), found_s, np.inf)
    # Where colocation leads down to its tightest bound, a tighter one rules it out, if any is feasible.
    return np.where(root < np.inf, found_s, np.where(np.greater(least_s, b.alone_s), least_s, 0.0))


def _compiled_tpot(b: Balance, *, crowd: _Crowd, thinnest: Real) -> tuple[Array, Array]:
    """The same search over points of dense models, compiled; both costs in seconds of a colocated replica."""
    from economics.serving.break_even_large import tpot_roots  # noqa: PLC0415 - loads the compiler

    decode, chunked, step = b.decode, b.decode.chunked, b.decode.step
    prefill_s = crowd.input_per_output * chunked.prefill_s_per_input_token
    return tpot_roots(
        {
            "weight_s": step.weight_s / step.tokens,
            "sequence_s": step.sequence_s / step.tokens,
            "compute_s": step.compute_s / step.tokens,
            "chunk_s": prefill_s / chunked.chunk_utilisation,
            "prefill_s": prefill_s,
            "overlap": chunked.overlap,
            "draft_ratio": step.draft_ratio,
            "service_share": chunked.service_share,
            "memory_batch": chunked.memory_batch,
            "fixed_s": crowd.fixed / decode.colocated_usd_per_s,
            "decode_price": decode.decode_usd_per_s / decode.colocated_usd_per_s,
            "thinnest": thinnest,
        }
    )

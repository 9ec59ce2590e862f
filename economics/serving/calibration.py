"""How much of a GPU's peak a serving engine reaches: MFU, MBU and the fixed time of a step, from measured times.

A prefill step takes overhead + FLOP / (MFU F n), a decode step overhead + bytes read / (MBU BW n). Decode steps give MBU and
the overhead, then prefill steps give MFU. The terms are those of `economics.serving.step_time`, with the overhead added.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when first used
from numpy.typing import NDArray

from economics.numeric.blocks import BLOCK_POINTS
from economics.numeric.least_squares import Minimum, least_squares
from economics.serving.symbols import Efficiency
from economics.units import Array, Real, require_fraction, require_non_negative, require_positive

Mask = NDArray[np.bool_]

DEFAULT = Efficiency()
"""What holds without a fit: its mfu and mbu, and no overhead."""
BASES = ("fitted", "at_bound", "default")
"""fitted: from the points; at_bound: the fit ended on a limit of the range; default: nothing was fitted."""
LOWEST_SHARE = 0.01
"""MFU and MBU are looked for between this and 1."""
SPARE_POINTS = 2
"""A phase is fitted only if it has at least this many more points than parameters."""
LEAST_SPREAD = 1.2
"""MBU and overhead are told apart only if the most bytes read are at least this multiple of the fewest."""
TYPICAL_ERROR = 0.1
"""Log ratio beyond which a point counts as an outlier and loses weight (f_scale of the soft L1 loss)."""
CONFIDENCE = 0.95
NEGLIGIBLE = 1e-3
"""A parameter is on its bound if it is as close to it as this: relative, the overhead to the shortest step."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Steps of one phase: what each would take at full peak, and what it took. Arrays of one length, seconds."""

    peak_s: Array
    """FLOP / (F n) of a prefill step, bytes read / (BW n) of a decode step."""
    measured_s: Array

    def __post_init__(self) -> None:
        require_positive(peak_s=self.peak_s, measured_s=self.measured_s)
        if self.peak_s.ndim != 1 or self.peak_s.shape != self.measured_s.shape:
            raise ValueError("peak_s and measured_s must be one-dimensional and of one length")

    def __len__(self) -> int:
        return len(self.peak_s)

    def kept(self, keep: Mask) -> "Points":
        """The points where `keep`."""
        return Points(peak_s=self.peak_s[keep], measured_s=self.measured_s[keep])


@dataclass(frozen=True, kw_only=True)
class FittedShare:
    """One parameter with its 95% interval; the ends are NULL (None) where it is a default or lies on a bound."""

    value: float
    basis: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What the steps of one group say, and why they do not fix a parameter (None if they fix all)."""

    mfu: FittedShare
    mbu: FittedShare
    overhead_s: FittedShare
    reason: str | None

    @property
    def fitted(self) -> bool:
        """Whether both shares come from the points."""
        return "default" not in (self.mfu.basis, self.mbu.basis)


def prefill_flop(
    *, active_parameters: Real, layers: Real, query_heads: Real, head_dim: Real, prompt_tokens: Real, batch: Real
) -> Real:
    """FLOP of computing `batch` prompts of `prompt_tokens` each: B n (2 P + 2 L q d n).

    Arguments broadcast. Returns FLOP. ValueError where a value is not positive.
    Source: formula S5.
    """
    require_positive(
        active_parameters=active_parameters,
        layers=layers,
        query_heads=query_heads,
        head_dim=head_dim,
        prompt_tokens=prompt_tokens,
        batch=batch,
    )
    return batch * prompt_tokens * (2.0 * active_parameters + 2.0 * layers * query_heads * head_dim * prompt_tokens)


def decode_read_bytes(*, weight_bytes: Real, kv_bytes_per_token: Real, context_tokens: Real, batch: Real) -> Real:
    """Bytes one decode step reads: all weights once, and the KV of every running sequence.

    Arguments broadcast; `context_tokens` is the mean length of a sequence. Returns bytes. ValueError where a value is not
    positive. Source: formula S2.
    """
    require_positive(
        weight_bytes=weight_bytes, kv_bytes_per_token=kv_bytes_per_token, context_tokens=context_tokens, batch=batch
    )
    return weight_bytes + batch * kv_bytes_per_token * context_tokens


def step_s(*, peak_s: Array, share: Real, overhead_s: Real) -> Array:
    """Time of steps that take `peak_s` at full peak, when `share` of the peak is reached.

    Arguments broadcast. Seconds. ValueError where a value is outside its domain. Source: formula S13, with a
    fixed overhead.
    """
    require_positive(peak_s=peak_s)
    require_fraction(share=share)
    require_non_negative(overhead_s=overhead_s)
    return overhead_s + peak_s / share


def calibrate(*, prefill: Points, decode: Points) -> Calibration:
    """MFU, MBU and overhead of one group, by bounded least squares on log ratios with a soft L1 loss.

    A phase with fewer points than parameters + 2 keeps its default. Decode steps that all read about as much give MBU
    without an overhead, from three points on. Intervals are those of the linearised fit (Jacobian at the optimum, Student
    t); they take points as independent, which points of one curve are not. Source: formula S13.
    """
    mbu, overhead, of_mbu = _fit_decode(decode)
    mfu, of_mfu = _fit_prefill(prefill, overhead_s=overhead.value)
    reasons = [reason for reason in (of_mbu, of_mfu) if reason]
    for name, share in (("MBU", mbu), ("MFU", mfu)):
        if share.basis == "at_bound":
            reasons.append(f"{name} ended on a limit of its range: the points do not fix it")
    return Calibration(mfu=mfu, mbu=mbu, overhead_s=overhead, reason="; ".join(reasons) or None)


def fit_share(points: Points, *, overhead_s: float) -> FittedShare:
    """The share of the peak that explains steps of one phase, with the overhead given.

    At least one point; without a second there is no interval. Source: formula S13.
    """
    fit = _fit(points, keep=_all(points), overhead_s=np.array([overhead_s]))
    return _share(fit, _half_widths(fit, points=len(points), fixed=np.array([False, True]))[0])


def fit_share_and_overhead(points: Points) -> tuple[FittedShare, FittedShare]:
    """The share of the peak and the fixed time of a step that together explain the steps of one phase.

    At least two points that read different amounts. Source: formula S13.
    """
    fit = _fit(points, keep=_all(points), overhead_s=np.array([np.nan]))
    overhead_s = float(fit.x[0, 1])
    negligible = overhead_s < NEGLIGIBLE * float(points.measured_s.min())
    half_widths = _half_widths(fit, points=len(points), fixed=np.array([False, negligible]))
    share = _share(fit, half_widths[0])
    if negligible:
        return share, FittedShare(value=0.0, basis="at_bound")
    if half_widths[1] is None:
        return share, FittedShare(value=overhead_s, basis="fitted")
    low, high = max(overhead_s - half_widths[1], 0.0), overhead_s + half_widths[1]
    return share, FittedShare(value=overhead_s, basis="fitted", low=low, high=high)


def relative_errors(*, prefill: Points, decode: Points, calibration: Calibration) -> tuple[Array, Array]:
    """|model / measured - 1| of every prefill and every decode point, whether its share is fitted or the default."""
    return (
        _errors(prefill, calibration.mfu.value, calibration.overhead_s.value),
        _errors(decode, calibration.mbu.value, calibration.overhead_s.value),
    )


def held_out_errors(
    *, prefill: Points, decode: Points, prefill_fold: NDArray[np.int64], decode_fold: NDArray[np.int64]
) -> tuple[Array, Array]:
    """|model / measured - 1| of each fold under the fit to all other folds: the error out of sample.

    `prefill_fold` and `decode_fold` number the points of each phase. Returns the errors of prefill and of decode points,
    fold by fold; none where the other folds are too few to fit the phase. Source: formula S13.
    """
    folds = np.union1d(prefill_fold, decode_fold)
    at_once = max(BLOCK_POINTS // max(len(prefill) + len(decode), 1), 1)
    parts = [
        _held_out(prefill, decode, prefill_fold == some[:, None], decode_fold == some[:, None])
        for some in np.split(folds, range(at_once, len(folds), at_once))
    ]
    of_prefill, of_decode = zip(*parts, strict=True)
    return np.concatenate(of_prefill), np.concatenate(of_decode)


def leave_one_out_errors(*, prefill: Points, decode: Points) -> tuple[Array, Array]:
    """|model / measured - 1| of every prefill and decode point under the fit to all other points; see `held_out_errors`."""
    numbers = np.arange(len(prefill) + len(decode), dtype=np.int64)
    return held_out_errors(
        prefill=prefill, decode=decode, prefill_fold=numbers[: len(prefill)], decode_fold=numbers[len(prefill) :]
    )


def _held_out(prefill: Points, decode: Points, prefill_out: Mask, decode_out: Mask) -> tuple[Array, Array]:
    """Errors of the points that each fold leaves out; the masks are (folds, points)."""
    separable, known = _separable(decode, ~decode_out), _enough(~decode_out)
    of_decode = _fit(decode, keep=~decode_out, overhead_s=np.where(separable, np.nan, 0.0))
    mbu = np.where(known, _shares(of_decode), DEFAULT.mbu)
    shortest_s = np.where(decode_out, np.inf, decode.measured_s).min(axis=1, initial=np.inf)
    overhead_s = of_decode.x[:, 1] * (of_decode.x[:, 1] >= NEGLIGIBLE * shortest_s)
    mfu = _shares(_fit(prefill, keep=~prefill_out, overhead_s=overhead_s))
    return (
        _errors(prefill, mfu[:, None], overhead_s[:, None])[prefill_out & _enough(~prefill_out)[:, None]],
        _errors(decode, mbu[:, None], overhead_s[:, None])[decode_out & known[:, None]],
    )


def _fit_decode(decode: Points) -> tuple[FittedShare, FittedShare, str | None]:
    """MBU and overhead from the decode points, and why one of them is not fitted."""
    if _separable(decode, _all(decode))[0]:
        return *fit_share_and_overhead(decode), None
    no_overhead = FittedShare(value=0.0, basis="default")
    if _enough(_all(decode))[0]:
        reason = f"overhead is taken as 0: {len(decode)} decode points cannot tell it from MBU"
        return fit_share(decode, overhead_s=0.0), no_overhead, reason
    default = FittedShare(value=float(DEFAULT.mbu), basis="default")
    return default, no_overhead, f"MBU is the default: {len(decode)} usable decode points"


def _fit_prefill(prefill: Points, *, overhead_s: float) -> tuple[FittedShare, str | None]:
    """MFU from the prefill points with the overhead given, and why it is not fitted."""
    if _enough(_all(prefill))[0]:
        return fit_share(prefill, overhead_s=overhead_s), None
    default = FittedShare(value=float(DEFAULT.mfu), basis="default")
    return default, f"MFU is the default: {len(prefill)} usable prefill points"


def _all(points: Points) -> Mask:
    """One fit, to every point."""
    return np.ones((1, len(points)), dtype=np.bool_)


def _enough(keep: Mask, *, parameters: int = 1) -> Mask:
    """Whether the points of each row of `keep` are enough to fit a phase."""
    enough: Mask = keep.sum(axis=1) >= parameters + SPARE_POINTS
    return enough


def _separable(decode: Points, keep: Mask) -> Mask:
    """Whether MBU and overhead can both be fitted, of each row of `keep`: enough points, whose bytes differ enough."""
    most = np.where(keep, decode.peak_s, 0.0).max(axis=1, initial=0.0)
    fewest = np.where(keep, decode.peak_s, np.inf).min(axis=1, initial=np.inf)
    separable: Mask = _enough(keep, parameters=2) & (most >= LEAST_SPREAD * fewest)
    return separable


def _errors(points: Points, share: Real, overhead_s: Real) -> Array:
    return np.abs(step_s(peak_s=points.peak_s, share=share, overhead_s=overhead_s) / points.measured_s - 1.0)


def _fit(points: Points, *, keep: Mask, overhead_s: Array) -> Minimum:
    """Fit 1 / share and the overhead, in which the step time is linear, to the points of each row of `keep`.

    The overhead (fits,) is given, or NaN where it is to be found.
    """
    sought = np.isnan(overhead_s)
    slowness = (points.measured_s - np.where(sought, 0.0, overhead_s)[:, None]) / points.peak_s
    middle = np.median(slowness, axis=1) if len(points) else np.ones(len(keep))
    first_s = 0.1 * points.measured_s.min(initial=np.inf)

    def residual(x: Array) -> tuple[Array, Array]:
        expected_s = x[:, 1:] + points.peak_s * x[:, :1]
        slopes = np.stack([points.peak_s / expected_s, 1.0 / expected_s], axis=-1)
        return np.where(keep, np.log(expected_s / points.measured_s), 0.0), keep[:, :, None] * slopes

    return least_squares(
        residual,
        start=np.column_stack([middle.clip(1.01, 0.99 / LOWEST_SHARE), np.where(sought, first_s, overhead_s)]),
        low=np.column_stack([np.ones(len(keep)), np.where(sought, 0.0, overhead_s)]),
        high=np.column_stack([np.full(len(keep), 1.0 / LOWEST_SHARE), np.where(sought, np.inf, overhead_s)]),
        typical_error=TYPICAL_ERROR,
    )


def _shares(fit: Minimum) -> Array:
    """The share of each fit, on a bound where it is as good as there."""
    inverse = fit.x[:, 0]
    low, high = inverse >= (1.0 - NEGLIGIBLE) / LOWEST_SHARE, inverse <= 1.0 + NEGLIGIBLE
    return np.where(low, LOWEST_SHARE, np.where(high, 1.0, 1.0 / inverse))


def _half_widths(fit: Minimum, *, points: int, fixed: Mask) -> list[float | None]:
    """Half the interval of each parameter of the first fit; None for those fixed or on a bound, or if no point is to spare."""
    on_bound = np.array([_shares(fit)[0] in (LOWEST_SHARE, 1.0), False])
    free = np.flatnonzero(~(fixed | on_bound))
    spare = points - len(free)
    widths: list[float | None] = [None, None]
    if spare > 0:
        covariance = np.linalg.pinv(fit.curvature[0][np.ix_(free, free)]) * 2.0 * fit.cost[0] / spare
        reach = float(scipy.special.stdtrit(spare, 0.5 + CONFIDENCE / 2.0))
        for place, index in enumerate(free):
            widths[index] = reach * float(np.sqrt(covariance[place, place]))
    return widths


def _share(fit: Minimum, half_width: float | None) -> FittedShare:
    """The share of the first fit; its interval is that of its inverse, turned round and cut off at 1."""
    share, inverse = float(_shares(fit)[0]), float(fit.x[0, 0])
    if share in (LOWEST_SHARE, 1.0):
        return FittedShare(value=share, basis="at_bound")
    if half_width is None:
        return FittedShare(value=share, basis="fitted")
    low, high = max(1.0 / (inverse + half_width), LOWEST_SHARE), 1.0 / max(inverse - half_width, 1.0)
    return FittedShare(value=share, basis="fitted", low=low, high=high)

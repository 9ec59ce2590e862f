"""How much of a GPU's peak a serving engine reaches: MFU, MBU and the fixed time of a step, from measured times.

A prefill step takes overhead + FLOP / (MFU F n), a decode step overhead + bytes read / (MBU BW n). Decode steps give MBU and
the overhead, then prefill steps give MFU. The terms are those of `economics.step_time`, with the overhead added.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when first used
from numpy.typing import NDArray

from economics.symbols import Efficiency
from economics.units import Real, require_fraction, require_non_negative, require_positive

Array = NDArray[np.float64]
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
class Estimate:
    """One parameter with its 95% interval; the ends are NULL (None) where it is a default or lies on a bound."""

    value: float
    basis: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What the steps of one group say, and why they do not fix a parameter (None if they fix all)."""

    mfu: Estimate
    mbu: Estimate
    overhead_s: Estimate
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
    Source: economics design, section 2 (attention: the causal mean).
    """
    require_positive(
        active_parameters=active_parameters, layers=layers, query_heads=query_heads, head_dim=head_dim,
        prompt_tokens=prompt_tokens, batch=batch,
    )  # fmt: skip
    return batch * prompt_tokens * (2.0 * active_parameters + 2.0 * layers * query_heads * head_dim * prompt_tokens)


def decode_read_bytes(*, weight_bytes: Real, kv_bytes_per_token: Real, context_tokens: Real, batch: Real) -> Real:
    """Bytes one decode step reads: all weights once, and the KV of every running sequence.

    Arguments broadcast; `context_tokens` is the mean length of a sequence. Returns bytes. ValueError where a value is not
    positive. Source: economics design, section 2 (t_w + B tau).
    """
    require_positive(
        weight_bytes=weight_bytes, kv_bytes_per_token=kv_bytes_per_token, context_tokens=context_tokens, batch=batch
    )
    return weight_bytes + batch * kv_bytes_per_token * context_tokens


def step_s(*, peak_s: Array, share: float, overhead_s: float) -> Array:
    """Time of steps that take `peak_s` at full peak, when `share` of the peak is reached.

    Seconds. ValueError where a value is outside its domain. Source: economics design, section 2, with a fixed overhead.
    """
    require_positive(peak_s=peak_s)
    require_fraction(share=share)
    require_non_negative(overhead_s=overhead_s)
    return overhead_s + peak_s / share


def calibrate(*, prefill: Points, decode: Points) -> Calibration:
    """MFU, MBU and overhead of one group, by bounded least squares on log ratios with a soft L1 loss.

    A phase with fewer points than parameters + 2 keeps its default. Decode steps that all read about as much give MBU
    without an overhead, from three points on. Intervals are those of the linearised fit (Jacobian at the optimum, Student
    t); they take points as independent, which points of one curve are not. Source: economics design, section 2 (calibration).
    """
    mbu, overhead, of_mbu = _fit_decode(decode)
    mfu, of_mfu = _fit_prefill(prefill, overhead_s=overhead.value)
    reasons = [reason for reason in (of_mbu, of_mfu) if reason]
    for name, share in (("MBU", mbu), ("MFU", mfu)):
        if share.basis == "at_bound":
            reasons.append(f"{name} ended on a limit of its range: the points do not fix it")
    return Calibration(mfu=mfu, mbu=mbu, overhead_s=overhead, reason="; ".join(reasons) or None)


def fit_share(points: Points, *, overhead_s: float) -> Estimate:
    """The share of the peak that explains steps of one phase, with the overhead given.

    At least one point; without a second there is no interval. Source: economics design, section 2 (calibration).
    """
    start = float(np.median((points.measured_s - overhead_s) / points.peak_s))
    fit = _fit(points, start=[start], overhead_s=overhead_s)
    return _share(float(fit.x[0]), _half_widths(fit, on_bound=np.array([_share_on_bound(fit)]))[0])


def fit_share_and_overhead(points: Points) -> tuple[Estimate, Estimate]:
    """The share of the peak and the fixed time of a step that together explain the steps of one phase.

    At least two points that read different amounts. Source: economics design, section 2 (calibration).
    """
    shortest_s = float(points.measured_s.min())
    start = float(np.median(points.measured_s / points.peak_s))
    fit = _fit(points, start=[start, 0.1 * shortest_s], overhead_s=None)
    overhead_s = float(fit.x[1])
    negligible = overhead_s < NEGLIGIBLE * shortest_s
    half_widths = _half_widths(fit, on_bound=np.array([_share_on_bound(fit), negligible]))
    share = _share(float(fit.x[0]), half_widths[0])
    if negligible:
        return share, Estimate(value=0.0, basis="at_bound")
    if half_widths[1] is None:
        return share, Estimate(value=overhead_s, basis="fitted")
    low, high = max(overhead_s - half_widths[1], 0.0), overhead_s + half_widths[1]
    return share, Estimate(value=overhead_s, basis="fitted", low=low, high=high)


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
    fold by fold; none where the other folds are too few to fit the phase. Source: economics design, section 2 (calibration).
    """
    of_prefill, of_decode = [np.empty(0)], [np.empty(0)]
    with_every_decode = _fit_decode(decode)
    for fold in np.union1d(prefill_fold, decode_fold):
        prefill_out, decode_out = prefill_fold == fold, decode_fold == fold
        mbu, overhead, _ = _fit_decode(decode.kept(~decode_out)) if decode_out.any() else with_every_decode
        if prefill_out.any():
            mfu, _ = _fit_prefill(prefill.kept(~prefill_out), overhead_s=overhead.value)
            if mfu.basis != "default":
                of_prefill.append(_errors(prefill.kept(prefill_out), mfu.value, overhead.value))
        if decode_out.any() and mbu.basis != "default":
            of_decode.append(_errors(decode.kept(decode_out), mbu.value, overhead.value))
    return np.concatenate(of_prefill), np.concatenate(of_decode)


def leave_one_out_errors(*, prefill: Points, decode: Points) -> tuple[Array, Array]:
    """|model / measured - 1| of every prefill and decode point under the fit to all other points; see `held_out_errors`."""
    numbers = np.arange(len(prefill) + len(decode), dtype=np.int64)
    return held_out_errors(
        prefill=prefill, decode=decode, prefill_fold=numbers[: len(prefill)], decode_fold=numbers[len(prefill) :]
    )


def _fit_decode(decode: Points) -> tuple[Estimate, Estimate, str | None]:
    """MBU and overhead from the decode points, and why one of them is not fitted."""
    if _separable(decode):
        return *fit_share_and_overhead(decode), None
    no_overhead = Estimate(value=0.0, basis="default")
    if len(decode) >= 1 + SPARE_POINTS:
        reason = f"overhead is taken as 0: {len(decode)} decode points cannot tell it from MBU"
        return fit_share(decode, overhead_s=0.0), no_overhead, reason
    default = Estimate(value=float(DEFAULT.mbu), basis="default")
    return default, no_overhead, f"MBU is the default: {len(decode)} usable decode points"


def _fit_prefill(prefill: Points, *, overhead_s: float) -> tuple[Estimate, str | None]:
    """MFU from the prefill points with the overhead given, and why it is not fitted."""
    if len(prefill) >= 1 + SPARE_POINTS:
        return fit_share(prefill, overhead_s=overhead_s), None
    default = Estimate(value=float(DEFAULT.mfu), basis="default")
    return default, f"MFU is the default: {len(prefill)} usable prefill points"


def _separable(decode: Points) -> bool:
    """Whether MBU and overhead can both be fitted: enough points, whose bytes differ enough."""
    enough = len(decode) >= 2 + SPARE_POINTS
    return enough and bool(decode.peak_s.max() >= LEAST_SPREAD * decode.peak_s.min())


def _errors(points: Points, share: float, overhead_s: float) -> Array:
    return np.abs(step_s(peak_s=points.peak_s, share=share, overhead_s=overhead_s) / points.measured_s - 1.0)


def _fit(points: Points, *, start: list[float], overhead_s: float | None) -> "scipy.optimize.OptimizeResult":
    """Minimise over 1 / share, and over the overhead where it is not given: in these the step time is linear."""

    def split(x: Array) -> tuple[float, float]:
        return x[0], x[1] if overhead_s is None else overhead_s

    def residual(x: Array) -> Array:
        inverse, overhead = split(x)
        return np.log((overhead + points.peak_s * inverse) / points.measured_s)

    def jacobian(x: Array) -> Array:
        inverse, overhead = split(x)
        slopes = np.column_stack([points.peak_s, np.ones(len(points))][: len(x)])
        return slopes / (overhead + points.peak_s * inverse)[:, None]

    inside = [float(np.clip(start[0], 1.01, 0.99 / LOWEST_SHARE)), *start[1:]]
    return scipy.optimize.least_squares(
        residual, inside, jac=jacobian, method="dogbox", x_scale=inside, loss="soft_l1", f_scale=TYPICAL_ERROR,
        bounds=([1.0, 0.0][: len(start)], [1.0 / LOWEST_SHARE, np.inf][: len(start)]),
    )  # fmt: skip


def _share_on_bound(fit: "scipy.optimize.OptimizeResult") -> bool:
    inverse = float(fit.x[0])
    return inverse <= 1.0 + NEGLIGIBLE or inverse >= (1.0 - NEGLIGIBLE) / LOWEST_SHARE


def _half_widths(fit: "scipy.optimize.OptimizeResult", *, on_bound: Mask) -> list[float | None]:
    """Half the interval of each parameter that is off its bounds; None for the others, and where no point is to spare."""
    free = np.flatnonzero(~on_bound)
    spare = len(fit.fun) - len(free)
    widths: list[float | None] = [None] * len(fit.x)
    if spare > 0:
        jacobian = fit.jac[:, free]  # scipy returns it with the weights of the loss
        covariance = np.linalg.pinv(jacobian.T @ jacobian) * 2.0 * fit.cost / spare
        reach = float(scipy.special.stdtrit(spare, 0.5 + CONFIDENCE / 2.0))
        for place, index in enumerate(free):
            widths[index] = reach * float(np.sqrt(covariance[place, place]))
    return widths


def _share(inverse: float, half_width: float | None) -> Estimate:
    """A share from its fitted inverse; the interval of the inverse, turned round and cut off at 1."""
    if inverse <= 1.0 + NEGLIGIBLE:
        return Estimate(value=1.0, basis="at_bound")
    if inverse >= (1.0 - NEGLIGIBLE) / LOWEST_SHARE:
        return Estimate(value=LOWEST_SHARE, basis="at_bound")
    if half_width is None:
        return Estimate(value=1.0 / inverse, basis="fitted")
    low, high = max(1.0 / (inverse + half_width), LOWEST_SHARE), 1.0 / max(inverse - half_width, 1.0)
    return Estimate(value=1.0 / inverse, basis="fitted", low=low, high=high)

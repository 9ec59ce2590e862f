"""Output tokens per second and GPU of a chunked replica, at a contract or under a load; MFU and MBU fitted to measured ones.

At a contract that one sequence nearly fills the rate is ill-conditioned: the batch is what a small difference of times leaves.
Under a load it is not.
"""

from dataclasses import replace

import numpy as np
import scipy  # its parts are loaded when first used
from numpy.typing import NDArray

from economics.numeric.blocks import map_arrays
from economics.serving.chunked import chunked_colocation, chunked_time
from economics.serving.cost import cost
from economics.serving.prefill_pool import prefill_times
from economics.serving.step_time import decode_step
from economics.serving.symbols import Efficiency, Scenario
from economics.units import SECONDS_PER_HOUR, Array, require_positive

START = (0.4, 0.6)
LOWEST, HIGHEST = 0.02, 1.0
LEAST_POINTS = 4
"""Two parameters and two points to spare."""
TYPICAL_ERROR = 0.2
INFEASIBLE = 1e-3
"""Tokens per second of a point that cannot meet its contract: far off, but finite, so that a fit can leave it."""


def tokens_per_s_per_gpu(scenario: Scenario) -> Array:
    """Output tokens per second and GPU of chunked colocation, full, at the contract; 0 where it cannot be met.

    Fields of the scenario: points on the first axis, replica sizes to choose from on the last. Returns (points,), that of
    the best size. Source: formula S15, the cost of a token turned round.
    """
    usd = np.asarray(cost(scenario=scenario, architecture="chunked").usd_per_token).min(axis=-1)
    with np.errstate(divide="ignore"):
        return np.where(np.isfinite(usd), scenario.hardware.usd_per_gpu_hour / SECONDS_PER_HOUR / usd, 0.0)


def tokens_per_s_per_gpu_under_load(scenario: Scenario, in_flight: Array) -> Array:
    """Output tokens per second and GPU of chunked colocation with so many requests in flight, whatever the contract.

    Fields as in `tokens_per_s_per_gpu`; (points, 1) requests of one replica. Returns (points,).
    Source: formula S15, time per output token at a batch.
    """
    chunked = chunked_colocation(scenario, decode_step(scenario), prefill_times(scenario))
    time = chunked_time(chunked, input_per_output=scenario.workload.input_per_output, batch=in_flight)
    rate: Array = np.asarray(1.0 / (time.total_s * scenario.hardware.gpus)).max(axis=-1)
    return rate


def fitted_efficiency(scenario: Scenario, measured: Array, *, in_flight: Array | None = None) -> Efficiency:
    """MFU and MBU under which the points of a scenario reach about the measured rates; soft L1 on log ratios.

    `scenario` as in `tokens_per_s_per_gpu`, at one rent; (points,) tokens per second and GPU. ValueError for
    fewer than LEAST_POINTS points, or a rate that is not positive. Source: formula S13.
    """
    require_positive(measured=measured)
    if len(measured) < LEAST_POINTS:
        raise ValueError(f"{len(measured)} points cannot give MFU and MBU: at least {LEAST_POINTS} are needed")

    def residual(logs: Array) -> Array:
        mfu, mbu = np.exp(logs)
        rate = _rate(replace(scenario, efficiency=Efficiency(mfu=float(mfu), mbu=float(mbu))), in_flight)
        return np.log(np.maximum(rate, INFEASIBLE) / measured)

    fit = scipy.optimize.least_squares(
        residual,
        np.log(START),
        bounds=(np.log(LOWEST), np.log(HIGHEST)),
        loss="soft_l1",
        f_scale=TYPICAL_ERROR,
        diff_step=[1e-3, 1e-3],
    )
    mfu, mbu = np.minimum(np.exp(fit.x), HIGHEST)
    return Efficiency(mfu=float(mfu), mbu=float(mbu))


def held_out_rates(scenario: Scenario, measured: Array, fold: NDArray[np.int64], *, in_flight: Array | None = None) -> Array:
    """Rate of every point under the MFU and MBU fitted to the points of all other folds; NaN where those are too few.

    `scenario` as in `fitted_efficiency`; every array in it has all points on its first axis.
    Source: formula S13.
    """
    points = len(measured)
    predicted = np.full(points, np.nan)
    for held in np.unique(fold):
        out = fold == held
        if (~out).sum() >= LEAST_POINTS:
            inside, outside = (None if in_flight is None else in_flight[keep] for keep in (~out, out))
            efficiency = fitted_efficiency(_chosen(scenario, ~out), measured[~out], in_flight=inside)
            predicted[out] = _rate(replace(_chosen(scenario, out), efficiency=efficiency), outside)
    return predicted


def _rate(scenario: Scenario, in_flight: Array | None) -> Array:
    """At the contract, or under a load where one is given."""
    if in_flight is None:
        return tokens_per_s_per_gpu(scenario)
    return tokens_per_s_per_gpu_under_load(scenario, in_flight)


def _chosen(scenario: Scenario, keep: NDArray[np.bool_]) -> Scenario:
    return map_arrays(scenario, lambda array: array[keep])

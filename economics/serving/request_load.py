"""Streams of requests with the shape of a trace: how long prompts and answers are, and how the rate of arrival moves.

A stream keeps its lengths and its rhythm at any rate: twice the rate is twice as many users with the same habits, not time run
twice as fast.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy  # its parts are loaded when first used
from numpy.typing import ArrayLike, NDArray

from economics.units import Array, require_positive

Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Load:
    """Requests without a rate."""

    input_tokens: Counts
    """Prompts, in the order in which they come; used again from the first where more arrive."""
    output_tokens: Counts
    """Answers of the same requests, each of at least two tokens."""
    intensity: Array
    """Rate of arrival in each window over its mean."""
    window_s: float
    burstiness: float = 1.0
    """Shape of the gamma gaps between arrivals: 1 is a Poisson process, below 1 they come in bursts, with a coefficient of
    variation of 1 / sqrt(burstiness). Source: the flag of the same name of vLLM's `bench serve`."""

    def __post_init__(self) -> None:
        require_positive(window_s=self.window_s, burstiness=self.burstiness)
        if not len(self.input_tokens) == len(self.output_tokens) > 0:
            raise ValueError("there must be as many prompts as answers, and at least one")
        if (self.input_tokens < 1).any() or (self.output_tokens < 2).any():
            raise ValueError("prompts have at least one token and answers at least two")
        if not np.isclose(self.intensity.mean(), 1.0) or (self.intensity < 0).any():
            raise ValueError("intensity must be 0 or above, and 1 on average")

    @property
    def context_tokens(self) -> float:
        """Mean length of a running sequence, over the steps it runs: prompt and half the answer, weighted by the answer."""
        return float(np.average(self.input_tokens + self.output_tokens / 2.0, weights=self.output_tokens))


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream:
    """Requests as they arrive; (requests,) seconds in ascending order, prompt and answer tokens."""

    arrival_s: Array
    input_tokens: Counts
    output_tokens: Counts


def stream(load: Load, *, rate_per_s: float, seed: int) -> Stream:
    """The requests of a load at a mean rate, over all its windows: gaps of its burstiness at a rate that follows the windows.

    The same seed takes the same draws at every rate, so that more load is never luckier. ValueError where the rate is not
    positive, or nothing arrives. Source: inversion of the integrated rate (Cinlar 1975).
    """
    require_positive(rate_per_s=rate_per_s)
    edges = np.arange(len(load.intensity) + 1) * load.window_s
    expected = np.concatenate([[0.0], np.cumsum(load.intensity * load.window_s)])
    shape, wanted = load.burstiness, rate_per_s * expected[-1]
    most = int(wanted + 10.0 * np.sqrt(wanted / min(shape, 1.0)) + 50 / min(shape, 1.0))
    due = np.cumsum(np.random.default_rng(seed).gamma(shape, 1.0 / shape, size=most)) / rate_per_s
    arrival = np.interp(due[due < expected[-1]], expected, edges)
    if not len(arrival):
        raise ValueError(f"no request arrives in {edges[-1]:.4g} s at {rate_per_s:.4g} requests/s")
    turn = np.arange(len(arrival)) % len(load.input_tokens)
    return Stream(arrival_s=arrival, input_tokens=load.input_tokens[turn], output_tokens=load.output_tokens[turn])


def even(*, input_tokens: ArrayLike, output_tokens: ArrayLike, seconds: float, burstiness: float = 1.0) -> Load:
    """Requests of stated lengths, numbers or a sequence that is used in turn, that arrive at an even rate for so long."""
    lengths = np.broadcast_arrays(*np.atleast_1d(input_tokens, output_tokens))
    prompts, answers = (np.rint(tokens).astype(np.int64) for tokens in lengths)
    return Load(input_tokens=prompts, output_tokens=answers, intensity=np.ones(1), window_s=seconds, burstiness=burstiness)


def with_peak(load: Load, *, peak_over_mean: float, peak_share: float, windows: int = 20) -> Load:
    """The load in as much time, of which the middle `peak_share` has the peak and the rest an even remainder.

    ValueError where the peak alone is more than the whole.
    """
    require_positive(peak_over_mean=peak_over_mean, peak_share=peak_share, windows=windows)
    of_peak = max(round(peak_share * windows), 1)
    rest = (windows - of_peak * peak_over_mean) / max(windows - of_peak, 1)
    if rest < 0.0 or of_peak == windows:
        raise ValueError(f"{peak_share:.3g} of the time at {peak_over_mean:g} times the mean leaves nothing for the rest")
    intensity = np.full(windows, rest)
    first = (windows - of_peak) // 2
    intensity[first : first + of_peak] = peak_over_mean
    return replace(load, intensity=intensity, window_s=load.window_s * len(load.intensity) / windows)


def steady(load: Load, *, windows: int) -> Load:
    """The same lengths, arriving at an even rate for so many windows."""
    return replace(load, intensity=np.ones(windows))


def equal(load: Load, *, windows: int) -> Load:
    """Every request of the mean length, arriving at an even rate: what the closed forms take a workload for."""
    return replace(
        steady(load, windows=windows),
        input_tokens=np.array([round(load.input_tokens.mean())]),
        output_tokens=np.array([max(round(load.output_tokens.mean()), 2)]),
    )


def correlated_lengths(
    *,
    levels: ArrayLike,
    input_quantiles: ArrayLike,
    output_quantiles: ArrayLike,
    rank_correlation: float,
    requests: int,
    seed: int,
) -> tuple[Counts, Counts]:
    """Prompt and answer lengths with these quantiles and this rank correlation, by a Gaussian copula; (requests,) each.

    Between levels quantiles are taken as straight lines of their logarithms; answers have at least two tokens. ValueError where
    the correlation is not within -1 and 1. Source: standard; 2 sin(pi r / 6) turns a rank correlation into that of the normals.
    """
    if not -1.0 <= rank_correlation <= 1.0:
        raise ValueError(f"rank_correlation must be within -1 and 1, got {rank_correlation}")
    normal = np.random.default_rng(seed).standard_normal((2, requests))
    share = 2.0 * np.sin(np.pi * rank_correlation / 6.0)
    normal[1] = share * normal[0] + np.sqrt(1.0 - share**2) * normal[1]
    lengths = [
        np.exp(np.interp(scipy.special.ndtr(draws), np.asarray(levels, np.float64), np.log(np.asarray(quantiles, np.float64))))
        for draws, quantiles in zip(normal, (input_quantiles, output_quantiles), strict=True)
    ]
    prompts, answers = (np.rint(values).astype(np.int64) for values in lengths)
    return np.maximum(prompts, 1), np.maximum(answers, 2)

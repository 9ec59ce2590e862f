"""What N samples per item give, from more samples than that: any of them right, the most frequent answer, a selector's choice.

The three are kept apart. That some sample is right helps only whom a check tells which one; a vote and a selector need none.
Each is an expectation over draws of N from an item's samples, so that no sample counts more than another.
"""

import numpy as np
import scipy  # its parts are loaded when first used
from numpy.typing import NDArray

from economics.test_time.coverage import pass_at_k
from economics.units import Array, require_share

_DRAWS = 20_000
"""Orders drawn per run, shared out over its items: the error of a vote's mean is far below that of the items."""


def coverage_by_item(*, correct: Array, samples: int) -> Array:
    """Chance per item that at least one of N samples is right; `correct` is (items, samples) of 0 and 1.

    Source: `economics.test_time.coverage.pass_at_k`.
    """
    right = np.asarray(correct, dtype=np.float64)
    require_share(correct=right)
    return pass_at_k(successes=right.sum(axis=1), samples=float(right.shape[1]), k=float(samples))


def tries_by_item(*, correct: Array, samples: int) -> Array:
    """Mean number of samples per item when a check ends the row at the first right one, N at most.

    Source: derived: the sum over j below N of the chance that none of j samples is right.
    """
    missed: Array = np.sum([1.0 - coverage_by_item(correct=correct, samples=j) for j in range(samples)], axis=0)
    return missed


def vote_by_item(*, correct: Array, answers: NDArray[np.int64], samples: int, rng: np.random.Generator) -> Array:
    """Chance per item that the most frequent of N answers is right; ties are broken evenly.

    `correct` and `answers` are (items, samples); answers are numbered within an item, -1 where none was given, which is no
    vote. Where samples of one answer were graded differently, its share of right ones counts.
    Source: Wang et al. 2203.11171 (self-consistency), as an expectation over draws.
    """
    right, codes = np.asarray(correct, dtype=np.float64), np.asarray(answers)
    items, drawn = codes.shape
    if samples == 1:
        return np.asarray(right.mean(axis=1))
    kinds = int(codes.max(initial=-1)) + 1
    if kinds == 0:
        return np.zeros(items)
    given = np.eye(kinds + 1)[codes][..., :kinds]
    counts = given.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(counts > 0.0, (given * right[..., None]).sum(axis=1) / counts, 0.0)
    orders = 1 if samples == drawn else int(np.clip(_DRAWS // items, 8, 200))
    total = np.zeros(items)
    for _ in range(orders):
        chosen = np.argsort(rng.random(codes.shape), axis=1)[:, :samples]
        votes = np.take_along_axis(given, chosen[..., None], axis=1).sum(axis=1)
        most = votes.max(axis=1, keepdims=True)
        leads = (votes == most) & (most > 0.0)
        total += (leads * worth).sum(axis=1) / np.maximum(leads.sum(axis=1), 1)
    return total / orders


def selected_by_item(*, correct: Array, selector: Array, samples: int) -> Array:
    """Chance per item that the sample which a selector rates highest among N is right; ties are broken evenly.

    `correct` and `selector` are (items, samples). Exact: the j-th best of all is the best of N drawn with chance
    C(m - j, N - 1) / C(m, N). Source: derived (order statistics of draws without replacement).
    """
    right, rating = np.asarray(correct, dtype=np.float64), np.asarray(selector, dtype=np.float64)
    drawn = right.shape[1]
    order = np.argsort(-rating, axis=1, kind="stable")
    ranked, rated = np.take_along_axis(right, order, axis=1), np.take_along_axis(rating, order, axis=1)
    places = np.arange(1, drawn + 1)
    chance = scipy.special.comb(drawn - places, samples - 1) / scipy.special.comb(drawn, samples)
    # Samples rated alike share the chances of their places.
    starts = np.concatenate([np.ones((rated.shape[0], 1), dtype=bool), rated[:, 1:] != rated[:, :-1]], axis=1)
    tie = np.cumsum(starts, axis=1) + np.arange(rated.shape[0])[:, None] * drawn
    flat = tie.ravel() - 1
    size = np.bincount(flat, minlength=flat.max() + 1)
    share = np.bincount(flat, weights=np.broadcast_to(chance, rated.shape).ravel(), minlength=size.size)
    with np.errstate(invalid="ignore"):
        each = (share / np.maximum(size, 1))[flat].reshape(rated.shape)
    return np.asarray((each * ranked).sum(axis=1))

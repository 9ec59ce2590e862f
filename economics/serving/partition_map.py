"""The partition between all three architectures on a grid: who wins, by how much, through which term, how cleanly."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from economics.serving.cost import ARCHITECTURES, cost
from economics.serving.partition import DECIDING, first_largest
from economics.serving.symbols import Scenario
from economics.units import TOKENS_PER_MTOK, Code, Real

OUTCOMES = ("none", *ARCHITECTURES)
"""Names of the codes in `Race.winner`."""

_TIE = 1e-9
"""Relative difference of costs below which they are the same."""


@dataclass(frozen=True, eq=False)
class Race:
    """Costs of the architectures at every point and the cheapest of them."""

    winner: Code
    """Index into OUTCOMES."""
    usd_per_mtok: dict[str, Real]
    """By architecture: $ per million SLO-compliant output tokens; inf where the contract cannot be met."""
    margin: Real
    """Cost of the other kind (disaggregated against the cheaper colocated one) over that of the winner, less 1; inf
    where the other kind cannot meet the contract, NaN where none can."""
    deciding_term: Code
    """Index into DECIDING: the term in which the winner saves most against the other kind."""


def race(scenario: Scenario) -> Race:
    """All three architectures at every point of the scenario's grid.

    Equal costs go to chunked colocation before unchunked (whose stalls it avoids) and to colocation before disaggregation
    (the simpler deployment). Source: formula S12.
    """
    costs = [cost(scenario=scenario, architecture=name) for name in ARCHITECTURES]
    return _raced([one.usd_per_token for one in costs], [one.terms for one in costs])


def raced(*, unchunked: Sequence[Real], chunked: Sequence[Real], disaggregated: Sequence[Real]) -> Race:
    """The same from the terms of each architecture, $ per output token in the order of TERMS; inf where it is not possible.

    Source: formula S12.
    """
    terms = (unchunked, chunked, disaggregated)
    return _raced([sum(one[1:], start=one[0]) for one in terms], terms)


def _raced(usd_per_token: Sequence[Real], terms_of: Sequence[Sequence[Real]]) -> Race:
    """Costs and terms in the order of ARCHITECTURES."""
    unchunked_usd, chunked_usd, split_usd = usd_per_token
    with np.errstate(invalid="ignore", divide="ignore"):
        stalls = np.less(unchunked_usd, chunked_usd * (1.0 - _TIE))
        colocated_usd = np.where(stalls, unchunked_usd, chunked_usd)
        splits = np.less(split_usd, colocated_usd)
        ratio = split_usd / colocated_usd
        margin = np.where(splits, 1.0 / ratio, ratio) - 1.0
        terms = [np.where(stalls, u, c) for u, c in zip(*terms_of[:2], strict=True)]
        sign = np.where(splits, 1.0, -1.0)
        saved = [sign * (ours - theirs) for ours, theirs in zip(terms, terms_of[2], strict=True)]
        largest = first_largest(saved)
    colocates, disaggregates = np.isfinite(colocated_usd), np.isfinite(split_usd)
    possible = colocates | disaggregates
    otherwise = np.where(possible, DECIDING.index("feasibility"), DECIDING.index("none"))
    winner = np.where(splits, _code("disaggregated"), np.where(stalls, _code("unchunked"), _code("chunked")))
    return Race(
        winner=np.where(possible, winner, _code("none")).astype(np.int8)[()],
        usd_per_mtok=dict(zip(ARCHITECTURES, _same_shape(usd_per_token), strict=True)),
        margin=margin,
        deciding_term=np.where(colocates & disaggregates, largest, otherwise).astype(np.int8)[()],
    )


@dataclass(frozen=True, eq=False)
class Cleanness:
    """How cleanly winners divide each of some grids; (grids,)."""

    isolated_share: NDArray[np.float64]
    """Cells with a winner that no neighbour shares, over all cells."""
    boundary_share: NDArray[np.float64]
    """Neighbouring pairs with different winners, over all neighbouring pairs."""


def cleanness(winner: NDArray[np.integer]) -> Cleanness:
    """Isolated winners and boundary length of grids of codes (grids, axis, ...); neighbours are one step apart on one axis.

    A cell that no architecture can serve is no winner, but it does bound one. Source: derived.
    """
    cells = tuple(range(1, winner.ndim))
    agrees = np.zeros(winner.shape, dtype=bool)
    pairs, agreeing = 0, np.zeros(len(winner))
    for axis in cells:
        along, agreed = np.moveaxis(winner, axis, 1), np.moveaxis(agrees, axis, 1)
        same = along[:, :-1] == along[:, 1:]
        agreed[:, :-1] |= same
        agreed[:, 1:] |= same
        pairs += same[0].size
        agreeing += same.sum(axis=cells)
    isolated = ~agrees & (winner != _code("none"))
    return Cleanness(isolated_share=isolated.mean(axis=cells), boundary_share=(pairs - agreeing) / max(pairs, 1))


def _code(name: str) -> int:
    return OUTCOMES.index(name)


def _same_shape(usd_per_token: Sequence[Real]) -> list[Real]:
    """$ per million tokens."""
    shape = reduce(np.broadcast_shapes, map(np.shape, usd_per_token))
    return [np.broadcast_to(one * TOKENS_PER_MTOK, shape)[()] for one in usd_per_token]

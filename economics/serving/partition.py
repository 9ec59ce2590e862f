"""Which architecture wins where, by how much, why, and how far each symbol is from turning it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from economics.numeric.blocks import BLOCK_POINTS, in_blocks
from economics.serving.break_even import break_evens
from economics.serving.cost import TERMS, Cost, cost
from economics.serving.symbols import Scenario
from economics.units import Code, Real

WINNERS = ("none", "chunked", "disaggregated")
"""Names of the codes in `Partition.winner`. A tie goes to chunked: it is the simpler deployment."""

DECIDING = (*TERMS, "feasibility", "none")
"""Names of the codes in `Partition.deciding_term`."""


@dataclass(frozen=True, eq=False)
class Partition:
    """The answer at every point of a grid. Codes are small integers, so that large grids stay small."""

    winner: Code
    """Index into WINNERS."""
    cost_ratio: Real
    """Disaggregated over chunked cost: 0 or inf where only one of them can meet the contract, NaN where neither."""
    deciding_term: Code
    """Index into DECIDING: the term in which the winner saves most, or that the loser misses its bounds."""
    break_even_input_per_output: Real
    break_even_arrival_rate_per_s: Real
    break_even_bandwidth_bytes_per_s: Real
    break_even_tpot_s: Real


def partition(scenario: Scenario, *, points: int = BLOCK_POINTS) -> Partition:
    """Winner, margin, deciding term and break-even values over the grid that the scenario's arrays span.

    Evaluated in blocks of `points`, so that memory beyond the result does not grow with the grid.
    Source: formula S12.
    """
    return in_blocks(_partition, scenario, points=points)


def _partition(scenario: Scenario) -> Partition:
    chunked, disaggregated = (cost(scenario=scenario, architecture=name) for name in ("chunked", "disaggregated"))
    turning = break_evens(scenario)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = disaggregated.usd_per_token / chunked.usd_per_token
    possible = np.logical_or(chunked.feasible, disaggregated.feasible)
    winner = np.where(possible, np.where(ratio < 1.0, 2, 1), 0).astype(np.int8)
    return Partition(
        winner=winner[()],
        cost_ratio=ratio,
        deciding_term=_deciding_term(chunked, disaggregated, ratio),
        break_even_input_per_output=turning.input_per_output,
        break_even_arrival_rate_per_s=turning.arrival_rate_per_s,
        break_even_bandwidth_bytes_per_s=turning.bandwidth_bytes_per_s,
        break_even_tpot_s=turning.tpot_s,
    )


def _deciding_term(chunked: Cost, disaggregated: Cost, ratio: Real) -> Code:
    sign = np.where(np.less(ratio, 1.0), 1.0, -1.0)
    savings = [sign * (theirs - ours) for theirs, ours in zip(chunked.terms, disaggregated.terms, strict=True)]
    largest = first_largest(savings)
    both = np.logical_and(chunked.feasible, disaggregated.feasible)
    either = np.logical_or(chunked.feasible, disaggregated.feasible)
    otherwise = np.where(either, DECIDING.index("feasibility"), DECIDING.index("none"))
    return np.where(both, largest, otherwise).astype(np.int8)[()]


def first_largest(values: Sequence[Real]) -> Code:
    """Which of the values is the largest at each point, the first of equals; of no meaning where one is NaN.

    One after the other: over few long arrays that is ten times as fast as argmax.
    """
    which, most = np.zeros(np.shape(values[0]), dtype=np.int8), values[0]
    for number, value in enumerate(values):
        which, most = np.where(np.greater(value, most), np.int8(number), which), np.maximum(value, most)
    return which

"""Break-even TPOT bounds of many dense questions at once, compiled.

`economics.serving.break_even` imports this only where a grid is large, because the compiler takes a moment to load. It knows
nothing but the normal form of the two costs, in seconds of a colocated replica per output token: the pieces of a mixed
step are those of `serving.chunked`, and the search is that of `numeric.root`, tile by tile instead of array by array.
A tile stays in a core's first cache and every loop over it is free of branches, so that points run side by side in vector
registers.
"""

import math

import numba
import numpy as np

from economics.numeric.root import GAP_TOLERANCE, MOST_STEPS, PATIENCE, TOLERANCE
from economics.numeric.threads import in_parts
from economics.serving.chunked import mixed_pieces
from economics.units import Array

SYMBOLS = (
    "weight_s",
    "sequence_s",
    "compute_s",
    "chunk_s",
    "prefill_s",
    "overlap",
    "draft_ratio",
    "service_share",
    "memory_batch",
    "fixed_s",
    "decode_price",
    "thinnest",
)
"""Rows of the normal form. Times are per output token; chunk_s is prefill_s at the chunk utilisation; fixed_s is what
disaggregation pays beside its decode pool, and decode_price what that costs, over the price of a colocated replica."""

TILE = 256
THREAD_POINTS = 8_192
"""Below this a second thread costs more than it saves."""

# Rows of a tile: the symbols, what follows from them, and the state of the search.
_ROWS = len(SYMBOLS) + 8
(_WEIGHT, _SEQUENCE, _COMPUTE, _CHUNK, _PREFILL, _OVERLAP, _DRAFTS, _SERVICE, _MEMORY, _FIXED, _PRICE, _THINNEST) = (
    TILE * row for row in range(len(SYMBOLS))
)
(_X, _TPOT, _GAP, _LAST_X, _LAST_GAP, _OTHER, _OTHER_GAP, _ABOVE) = (
    TILE * row for row in range(len(SYMBOLS), len(SYMBOLS) + 8)
)

_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")
_pieces = _compiled(mixed_pieces)


def tpot_roots(symbols: dict[str, float | Array]) -> tuple[Array, Array]:
    """Where the gap between disaggregation and colocation falls through zero over thinness, memory batch / batch.

    `symbols`: by name as in SYMBOLS, broadcasting. Returns that thinness as `economics.numeric.root.falling_root` does (-inf
    where the gap is not positive at 1, inf where it stays positive up to thinnest) and the TPOT bound there, seconds.
    Source: formula S9.
    """
    shape = np.broadcast_shapes(*(np.shape(value) for value in symbols.values()))
    rows = np.empty((len(SYMBOLS), *shape))
    for row, name in zip(rows, SYMBOLS, strict=True):
        row[...] = symbols[name]
    rows = rows.reshape(len(SYMBOLS), -1)
    root, tpot_s = np.empty((2, rows.shape[1]))
    in_parts(rows.shape[1], lambda part: _search(rows[:, part], root[part], tpot_s[part]), least=THREAD_POINTS)
    return root.reshape(shape), tpot_s.reshape(shape)


@_compiled
def _search(rows: Array, root: Array, tpot_s: Array) -> None:
    """False position as in `economics.numeric.root`, of a tile until all its points are found."""
    tile = np.zeros(_ROWS * TILE)
    for start in range(0, root.size, TILE):
        size = min(TILE, root.size - start)
        for row in range(len(rows)):
            for p in range(TILE):
                tile[row * TILE + p] = rows[row, start + min(p, size - 1)]
        for p in range(TILE):
            tile[_X + p] = 1.0
        _evaluate(tile)
        for p in range(TILE):
            tile[_ABOVE + p] = tile[_LAST_GAP + p] = tile[_GAP + p]
            tile[_LAST_X + p] = 1.0
            tile[_X + p] = math.sqrt(tile[_THINNEST + p])
        _evaluate(tile)
        for p in range(TILE):
            falls = tile[_GAP + p] < 0.0
            tile[_OTHER + p] = 1.0 if falls else tile[_THINNEST + p]
            tile[_OTHER_GAP + p] = tile[_ABOVE + p] if falls else -tile[_ABOVE + p]
        for step in range(MOST_STEPS):
            if _advance(tile, step >= PATIENCE and step % 2 == 1) == 0:
                break
            _evaluate(tile)
            _narrow(tile)
        for p in range(size):
            above, x = tile[_ABOVE + p], tile[_X + p]
            met = tile[_OTHER + p] != tile[_THINNEST + p] or abs(tile[_GAP + p]) <= GAP_TOLERANCE * above
            root[start + p] = (x if met else np.inf) if above > 0.0 else (-np.inf if above <= 0.0 else np.nan)
            tpot_s[start + p] = tile[_TPOT + p]


@_compiled
def _evaluate(tile: Array) -> None:
    """TPOT bound of a colocated batch, and what disaggregation costs more under that bound."""
    for p in range(TILE):
        weight_s, sequence_s, compute_s = tile[_WEIGHT + p], tile[_SEQUENCE + p], tile[_COMPUTE + p]
        drafts, memory_batch = tile[_DRAFTS + p], tile[_MEMORY + p]
        batch = memory_batch / tile[_X + p]
        memory_s = weight_s * tile[_X + p] / memory_batch + sequence_s
        bound_s = colocated_s = 0.0
        for memory_share, prefill_share, compute_share in _pieces(tile[_OVERLAP + p], drafts):
            own_s = memory_share * memory_s + compute_share * compute_s
            beside_s = own_s / max(1.0 - prefill_share * tile[_SERVICE + p], 0.0)
            bound_s = max(bound_s, own_s + prefill_share * tile[_CHUNK + p], beside_s)
            colocated_s = max(colocated_s, own_s + prefill_share * tile[_PREFILL + p])
        tpot_s = batch * bound_s
        # The decode pool under the same bound: inverse batch, then time per token.
        inverse = max(1.0 / memory_batch, (1.0 + drafts) * sequence_s / (tpot_s - (1.0 + drafts) * weight_s))
        inverse = max(inverse, (drafts * sequence_s + compute_s) / (tpot_s - drafts * weight_s))
        split_s = weight_s * inverse + sequence_s
        split_s = drafts * split_s + max(split_s, compute_s)
        tile[_TPOT + p] = tpot_s
        tile[_GAP + p] = tile[_FIXED + p] + tile[_PRICE + p] * split_s - colocated_s


@_compiled
def _advance(tile: Array, halve: bool) -> int:
    """Next x of the points that are not found yet; returns their number."""
    waiting = 0
    for p in range(TILE):
        x, gap, other_gap = tile[_X + p], tile[_GAP + p], tile[_OTHER_GAP + p]
        width = tile[_OTHER + p] - x
        waits = (abs(width) > 2.0 * TOLERANCE) & (abs(gap) > GAP_TOLERANCE * tile[_ABOVE + p])
        share = 0.5 if halve else gap / (gap - other_gap)
        tile[_LAST_X + p], tile[_LAST_GAP + p] = x, gap
        tile[_X + p] = x + width * share if waits else x
        waiting += 1 if waits else 0
    return waiting


@_compiled
def _narrow(tile: Array) -> None:
    """The other end of the bracket: where x came from if the gap changed sign, else where it was, weighed down."""
    for p in range(TILE):
        gap, last_gap = tile[_GAP + p], tile[_LAST_GAP + p]
        crossed, passed = gap * last_gap < 0.0, gap / last_gap
        weighed = tile[_OTHER_GAP + p] * (1.0 - passed if passed < 1.0 else 0.5)
        tile[_OTHER + p] = tile[_LAST_X + p] if crossed else tile[_OTHER + p]
        tile[_OTHER_GAP + p] = last_gap if crossed else weighed

"""Names beside points, as many as fit: Vega-Lite moves no label out of another's way."""

import numpy as np
import polars as pl

HIGH, PER_LETTER = 0.035, 0.0085
"""A name's height and the width of a letter, as shares of a chart 420 pixels high and 680 wide."""


def spread(
    frame: pl.DataFrame, *, x: str, y: str, name: str, within: tuple[str, ...], only: pl.Expr, log_y: bool = False
) -> pl.DataFrame:
    """The frame with a column `label`: the name of each point that `only` admits, NULL where it would cover an earlier one.

    Points compete only with those of the same values of `within`; the first in the frame's order from the greatest `x` wins.
    """
    placed = frame.with_row_index("at")
    admitted = placed.filter(only).drop_nulls([x, y])
    kept: list[int] = []
    for _, part in admitted.group_by(*within, maintain_order=True):
        across, up = _shares(part[x].to_numpy()), _shares(np.log(part[y].to_numpy()) if log_y else part[y].to_numpy())
        taken: list[tuple[float, float, float]] = []
        for place in np.argsort(-across, kind="stable"):
            left, high = float(across[place]), float(up[place])
            right = left + PER_LETTER * len(str(part[name][int(place)]))
            if all(abs(high - other) > HIGH or right < start or left > end for start, end, other in taken):
                taken.append((left, right, high))
                kept.append(int(part["at"][int(place)]))
    return placed.with_columns(label=pl.when(pl.col("at").is_in(kept)).then(pl.col(name))).drop("at")


def _shares(values: np.ndarray) -> np.ndarray:
    width = float(values.max() - values.min())
    shares: np.ndarray = (values - values.min()) / width if width > 0 else np.zeros(len(values))
    return shares

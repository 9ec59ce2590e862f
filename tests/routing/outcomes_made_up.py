"""Made-up outcomes of two models with a known truth, for the tests of routing."""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[np.float64]


def two_models(
    *,
    items: int,
    seed: int,
    strong_at: tuple[float, float] = (0.75, 0.0),
    weak_at: tuple[float, float] = (0.801, -0.72),
) -> tuple[Array, Array, Array]:
    """Score, quality and cost: a score from 0 to 1, chances of a right answer that are lines in it, costs of 1 and .1."""
    rng = np.random.default_rng(seed)
    score = rng.random(items)
    chance = [start + slope * score for start, slope in (strong_at, weak_at)]
    quality = np.column_stack([rng.random(items) < each for each in chance]).astype(np.float64)
    return score, quality, np.tile([1.0, 0.1], (items, 1))


def long_table(score: Array, quality: Array, cost: Array, **item_columns: object) -> pl.DataFrame:
    """The same as a user's long table of S and W."""
    sides = [
        pl.DataFrame(
            {
                "item": [f"q{at}" for at in range(len(score))],
                "model": [name] * len(score),
                "correct": quality[:, column].astype(np.int64),
                "cost_usd": cost[:, column],
                "score": score,
                **item_columns,
            }
        )
        for column, name in enumerate(("S", "W"))
    ]
    return pl.concat(sides)


def written(rows: pl.DataFrame, folder: Path, name: str = "mine.csv") -> Path:
    """The table as a file."""
    rows.write_csv(folder / name)
    return folder / name

"""How a user's files are read, and the table that comes of it."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from answers.route.cells import refuse
from answers.route.columns import no_such
from answers.route.files import ROW, STRATEGY, BadUsageError, RefusedTableError

OF_ANSWER = ("correct", "cost_usd", "input_tokens", "output_tokens", "latency_s", "response_chars")
OF_ITEM = ("controller_cost_usd", "seen_by_router", "group", "turn", "category", "prompt_chars", "prompt_hash")
PROMPT_LENGTH = "prompt_length"
NO_ROUTERS = pl.DataFrame(
    schema={STRATEGY: pl.String, "item": pl.String, "model": pl.String, "correct": pl.Float64, "cost_usd": pl.Float64}
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read the files. Names as the user gave them."""

    mapping: dict[str, str] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    """Only these; none: all."""
    free: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    low_is_hard: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Outcomes of every model on every item that all of them have, one row per item."""

    models: tuple[str, ...]
    items: pl.DataFrame
    """item, and those of OF_ITEM that the table has."""
    quality: NDArray[np.float64]
    """(items, models)"""
    cost: NDArray[np.float64]
    input_tokens: NDArray[np.float64] | None
    latency_s: NDArray[np.float64] | None
    scores: dict[str, NDArray[np.float64]]
    """High goes to the strong model."""
    routers: pl.DataFrame
    """strategy, item, model, correct, cost_usd: what routers that ran chose; empty where the table has none."""
    samples: pl.DataFrame
    """item, model, answer, correct, cost_usd of answers that were sampled more than once; empty where none was."""
    missing: dict[str, int]
    """Items left out because the outcome of a model is missing, per model."""
    cost_basis: str
    notes: tuple[str, ...]


def table_of(
    joined: pl.DataFrame,
    names: list[str],
    scores: list[str],
    *,
    routers: pl.DataFrame,
    samples: pl.DataFrame,
    basis: str,
    notes: list[str],
    reading: Reading,
) -> Table:
    """Items that every model has, with their scores."""
    if "prompt_chars" in joined.columns and (PROMPT_LENGTH in reading.scores or not scores):
        joined = joined.with_columns(pl.col("prompt_chars").alias(f"score:{PROMPT_LENGTH}"))
        scores = [*scores, PROMPT_LENGTH]
        if len(scores) == 1:
            notes = [*notes, "no score in the table: the length of the prompt stands for one"]
    absent = {name: pl.any_horizontal(pl.col(f"{c}:{name}").is_null() for c in ("correct", "cost_usd")) for name in names}
    missing = {name: int(joined.select(expr.sum()).item()) for name, expr in absent.items()}
    complete = joined.filter(~pl.any_horizontal(absent.values())) if any(missing.values()) else joined
    if complete.is_empty():
        unpriced = [name for name in names if joined[f"cost_usd:{name}"].null_count() == joined.height]
        hint = f"; no cost of {unpriced[0]} is known: say --price {unpriced[0]}=INPUT/OUTPUT, or --free" if unpriced else ""
        raise RefusedTableError(f"no item has an outcome and a cost of all of {', '.join(names)}{hint}")
    del joined
    for score in scores:
        known = complete[f"score:{score}"]
        if known.null_count():
            rule = "must be given for every item, or the column left out"
            refuse(complete, pl.col(f"score:{score}").is_null(), column=score, rule=rule, value=f"score:{score}")
    complete = complete.sort(ROW) if "group" in complete.columns else complete

    def matrix(column: str) -> NDArray[np.float64]:
        return complete.select(f"{column}:{name}" for name in names).to_numpy().astype(np.float64)

    sign = -1.0 if reading.low_is_hard else 1.0
    latency = [f"latency_s:{name}" for name in names]
    tokens = [f"input_tokens:{name}" for name in names]
    return Table(
        models=tuple(names),
        items=complete.select("item", *(name for name in OF_ITEM if name in complete.columns)),
        quality=matrix("correct"),
        cost=matrix("cost_usd"),
        input_tokens=matrix("input_tokens") if set(tokens) <= set(complete.columns) else None,
        latency_s=matrix("latency_s") if set(latency) <= set(complete.columns) else None,
        scores={score: sign * complete[f"score:{score}"].to_numpy().astype(np.float64) for score in scores},
        routers=routers,
        samples=samples,
        missing={name: count for name, count in missing.items() if count},
        cost_basis=basis,
        notes=tuple(notes),
    )


def wanted_models(names: list[str], reading: Reading) -> list[str]:
    """The models to read. Raises BadUsageError for one that is not there."""
    for name in (*reading.models, *reading.free):
        if name not in names:
            raise BadUsageError(f"{name}: {no_such(name, names)}")
    return [name for name in names if not reading.models or name in reading.models]

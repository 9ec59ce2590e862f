"""The table `iecon route` judges: a user's outcomes per item and model, read, typed, and refused with row, column and rule."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from economics.routing.outcomes import Items

REQUIRED = ("item", "model", "correct", "cost_usd")
OPTIONAL = ("score", "controller_cost_usd", "seen_by_router")
TRUTHS = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
SHOWN = 5


class RefusedTableError(ValueError):
    """A table that cannot be judged; one line per reason."""

    code = 1


class BadUsageError(ValueError):
    """Options that do not go with the table."""

    code = 2


@dataclass(frozen=True, kw_only=True)
class Table:
    """A user's outcomes, one entry per item."""

    strong: str
    weak: str
    items: Items
    seen: NDArray[np.bool_]
    controller_cost_usd: float
    controller_is_known: bool
    has_score: bool


def read_outcomes(file: Path, *, strong: str | None = None, weak: str | None = None) -> Table:
    """Read a CSV or Parquet table of one row per item and model.

    Columns: item, model, correct (0 or 1), cost_usd (above 0); optional per item: score (high goes to the strong model),
    controller_cost_usd, seen_by_router (the router was trained on it). Raises RefusedTableError with row, column and rule,
    BadUsageError where the models to compare are not clear.
    """
    rows = _read(file)
    if missing := [name for name in REQUIRED if name not in rows.columns]:
        raise RefusedTableError(f"row 1, column {missing[0]}: the table must have the columns {', '.join(REQUIRED)}")
    rows = rows.select(*REQUIRED, *(name for name in OPTIONAL if name in rows.columns)).with_columns(
        pl.col("model").cast(pl.String)
    )
    # Tables may hold ten million rows: a few names for models take a quarter of their text.
    rows = rows.with_columns(cs.string().str.strip_chars().replace("", None)).cast({"model": pl.Categorical})
    # A CSV's first row of data is line 2; Parquet has no header, but rows are counted alike.
    rows = rows.with_row_index("row", offset=2)
    _refuse(rows, pl.col("model").is_null(), column="model", rule="must name a model")
    strong, weak = _roles(rows, strong, weak)
    rows = _typed(rows.filter(pl.col("model").is_in([strong, weak])))
    sides = {name: rows.filter(pl.col("model") == name).drop("model") for name in (strong, weak)}
    for side in sides.values():
        # The first row stays; each one after it is a fault.
        _refuse(side, ~pl.col("item").is_first_distinct(), column="item", rule="must have one row per model")
    for name, other in ((strong, weak), (weak, strong)):
        alone = sides[name].select("row", "item").join(sides[other].select("item"), on="item", how="anti")
        _refuse(alone, pl.lit(True), column="item", rule=f"must have a row of {other} too")
    columns = rows.columns
    del rows
    pairs = sides.pop(strong).join(sides.pop(weak), on="item", suffix="_weak", validate="1:1", maintain_order="left")
    for name in [column for column in OPTIONAL if column in columns]:
        differs = pl.col(name) != pl.col(f"{name}_weak")
        _refuse(pairs, differs, column=name, rule="must be one value per item")
        pairs = pairs.with_columns(pl.coalesce(name, f"{name}_weak").alias(name))
        if 0 < pairs[name].null_count() < pairs.height or (name == "score" and pairs[name].null_count()):
            _refuse(pairs, pl.col(name).is_null(), column=name, rule="must be given for every item, or the column left out")
    has_score, has_controller = "score" in pairs.columns, "controller_cost_usd" in pairs.columns
    seen = pairs["seen_by_router"].to_numpy().astype(np.bool_) if "seen_by_router" in pairs.columns else None
    controller = pairs["controller_cost_usd"].mean() if has_controller else None
    return Table(
        strong=strong,
        weak=weak,
        items=Items(
            strong_correct=pairs["correct"].to_numpy(),
            weak_correct=pairs["correct_weak"].to_numpy(),
            strong_cost=pairs["cost_usd"].to_numpy(),
            weak_cost=pairs["cost_usd_weak"].to_numpy(),
            score=pairs["score"].to_numpy() if has_score else np.zeros(pairs.height),
        ),
        seen=np.zeros(pairs.height, dtype=np.bool_) if seen is None else seen,
        controller_cost_usd=float(controller) if isinstance(controller, float) else 0.0,
        controller_is_known=isinstance(controller, float),
        has_score=has_score,
    )


def _read(file: Path) -> pl.DataFrame:
    readers: dict[str, Callable[[], pl.DataFrame]] = {
        ".csv": lambda: pl.read_csv(file, infer_schema=False),
        ".parquet": lambda: pl.read_parquet(file),
    }
    if file.suffix.lower() not in readers:
        raise BadUsageError(f"{file}: must be a .csv or .parquet file")
    try:
        return readers[file.suffix.lower()]()
    except FileNotFoundError:
        raise BadUsageError(f"{file}: there is no such file") from None
    except (PolarsError, OSError) as error:
        raise RefusedTableError(f"cannot be read: {str(error).splitlines()[0]}") from None


def _roles(rows: pl.DataFrame, strong: str | None, weak: str | None) -> tuple[str, str]:
    """Which model is which: as named; of two models the dearer one is the strong one."""
    models = sorted(rows["model"].unique())
    for option, name in (("--strong", strong), ("--weak", weak)):
        if name is not None and name not in models:
            raise BadUsageError(f"{option} {name}: the table has {', '.join(models)}")
    if strong is not None and strong == weak:
        raise BadUsageError("--strong and --weak must name two models")
    if len(models) < 2:
        raise RefusedTableError("column model: must hold two models; routing chooses between them")
    if strong is not None and weak is not None:
        return strong, weak
    if len(models) > 2:
        raise BadUsageError(f"the table has {len(models)} models: name two of them with --strong and --weak")
    if strong is not None or weak is not None:
        other = next(name for name in models if name not in (strong, weak))
        return strong or other, weak or other
    cost = rows.group_by("model").agg(pl.col("cost_usd").cast(pl.Float64, strict=False).mean()).sort("cost_usd", "model")
    return cost["model"][-1], cost["model"][0]


def _typed(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with their types, or the rules they break."""
    faults: list[str] = []

    def hold(broken: pl.Expr, column: str, rule: str) -> None:
        faults.extend(_faults(rows, broken, column=column, rule=rule))

    hold(pl.col("item").is_null(), "item", "must name an item")
    for name in ("correct", "seen_by_router"):
        if name in rows.columns:
            may_be_empty = pl.lit(name != "correct") & pl.col(name).is_null()
            hold(~may_be_empty & _truth(rows, name).is_null(), name, "must be 0 or 1")
    for name, rule in (("cost_usd", "above 0"), ("score", "finite"), ("controller_cost_usd", "0 or above")):
        if name in rows.columns:
            number = pl.col(name).cast(pl.Float64, strict=False)
            right = {"above 0": number > 0, "finite": pl.lit(True), "0 or above": number >= 0}[rule]
            may_be_empty = pl.lit(name != "cost_usd") & pl.col(name).is_null()
            hold(~may_be_empty & ~(number.is_finite() & right).fill_null(False), name, f"must be a number, {rule}")
    if faults:
        _raise(faults)
    numbers = [name for name in ("cost_usd", "score", "controller_cost_usd") if name in rows.columns]
    truths = [_truth(rows, name) for name in ("correct", "seen_by_router") if name in rows.columns]
    return rows.with_columns(pl.col(numbers).cast(pl.Float64), *truths)


def _truth(rows: pl.DataFrame, name: str) -> pl.Expr:
    """A column of 0 and 1, as numbers, truth values or words; NULL for anything else."""
    if rows.schema[name] == pl.String:
        return pl.col(name).str.to_lowercase().replace_strict(TRUTHS, default=None, return_dtype=pl.Boolean)
    number = pl.col(name).cast(pl.Float64)
    return pl.when(number.is_in([0.0, 1.0])).then(number == 1.0).alias(name)


def _refuse(rows: pl.DataFrame, broken: pl.Expr, *, column: str, rule: str) -> None:
    if faults := _faults(rows, broken, column=column, rule=rule):
        _raise(faults)


def _faults(rows: pl.DataFrame, broken: pl.Expr, *, column: str, rule: str) -> list[str]:
    bad = rows.filter(broken).select("row", value=pl.col(column).cast(pl.String))
    return [f"row {row}, column {column}: {rule}, is {'empty' if value is None else value}" for row, value in bad.iter_rows()]


def _raise(faults: list[str]) -> None:
    more = [f"and {len(faults) - SHOWN:,} more"] if len(faults) > SHOWN else []
    raise RefusedTableError("\n".join(faults[:SHOWN] + more))

"""Published figures recomputed from other figures of the same document, and those that do not come out.

A recomputation moves each of its figures within its rounding (or its printed or read-off range); it closes when the range it
then covers meets the range of the printed figure. So nothing is called a contradiction that rounding can explain.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from assets.evidence.published import GROUP
from economics.evidence.rederivations import FORMULAS, formula_range
from schemas.base import polars_schema
from schemas.evidence import published as contract
from schemas.status import STATUSES
from sources.evidence.published_figures import recomputations
from warehouse.table import table

Figure = Mapping[str, Any]


@table(schema=contract.PublishedRederivation, group=GROUP)
def published_rederivation(published_figure: pl.DataFrame) -> pl.DataFrame:
    """Every recomputation, whether it closes or not."""
    return rederive(published_figure, recomputations())


@table(schema=contract.PublishedDiscrepancy, group=GROUP)
def published_discrepancy(published_rederivation: pl.DataFrame) -> pl.DataFrame:
    """The recomputations that do not close."""
    return published_rederivation.filter(~pl.col("closes")).drop("closes")


def rederive(figures: pl.DataFrame, checks: pl.DataFrame) -> pl.DataFrame:
    """Recompute each check from the figures; contract `PublishedRederivation`.

    `figures`: contract `PublishedFigure`; `checks`: as `recomputations` gives them. KeyError for a figure that is not there.
    """
    by_name = {f"{row['paper']}.{row['figure']}": row for row in figures.iter_rows(named=True)}
    rows = [
        _recompute(check, by_name[check["printed"]], [by_name[name] for name in check["inputs"]])
        for check in checks.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=polars_schema(contract.PublishedRederivation), orient="row")


def _recompute(check: Mapping[str, str], printed: Figure, inputs: Sequence[Figure]) -> dict[str, object]:
    formula = FORMULAS[check["formula"]]
    ends = [_range(figure) for figure in inputs]
    low, high = formula_range(formula, [low for low, _ in ends], [high for _, high in ends])
    values = [_middle(figure) for figure in inputs]
    value = formula_range(formula, values, values)[0]
    printed_low, printed_high = _range(printed)
    nearest = min(max(value, printed_low), printed_high) if printed["value"] is None else printed["value"]
    return {
        "check": check["check"],
        "paper": printed["paper"],
        "what": check["what"],
        "printed_value": printed["value"],
        "printed_low": printed_low,
        "printed_high": printed_high,
        "recomputed_value": value,
        "recomputed_low": low,
        "recomputed_high": high,
        "unit": printed["unit"],
        "ratio": nearest / value,
        "formula": check["how"],
        "printed_locator": _place(printed),
        "recomputed_locator": "; ".join(_place(figure) for figure in inputs),
        "status": max((figure["status"] for figure in (printed, *inputs)), key=STATUSES.index),
        "closes": low <= printed_high and printed_low <= high,
    }


def _range(figure: Figure) -> tuple[float, float]:
    """What the figure can be: its own range where one is given, else what its rounding allows."""
    if figure["low"] is not None and figure["high"] is not None:
        return figure["low"], figure["high"]
    return figure["value"] - figure["rounding"], figure["value"] + figure["rounding"]


def _middle(figure: Figure) -> float:
    value: float | None = figure["value"]
    return value if value is not None else (figure["low"] + figure["high"]) / 2.0


def _place(figure: Figure) -> str:
    return f"{figure['paper']} ({figure['version']}), {figure['locator']}: {figure['figure']}"

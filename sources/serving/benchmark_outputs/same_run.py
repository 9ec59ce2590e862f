"""What makes two records one run: the facts the run itself left, not the file, its name or its layout.

A measured latency has so many digits that two of them name the run it came from: a result file, the aggregate made of it and a
table that rounds it to six digits agree in five. Where the figures are too round for that, everything the record states
counts. What the user says is no part of it, so that a run brought twice, once with a word and once without, is one.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

ANCHORS = (
    ("ttft_mean_s", "tpot_mean_s"),
    ("ttft_p50_s", "tpot_p50_s"),
    ("e2e_mean_s", "e2e_p50_s"),
    ("e2e_mean_s", "e2e_p99_s"),
    ("duration_s", "output_tokens_mean"),
    ("duration_s", "n_requests"),
)
"""Pairs of figures, the first of which that a record holds with enough digits names its run."""
SAME_DIGITS = 5
ENOUGH_DIGITS = 4
"""A figure with no more digits than these may be that of another run too."""
NO_FACTS = frozenset({"run_id", "source", "file_name", "source_locator", "notes", "engine_basis", "client", "measured_on"})
LOAD = ("concurrency", "request_rate_per_s")
CONTRADICT = ("gpu_canonical", "gpus_total", "tp", "pp", "n_requests")
"""Two records that differ in one of these are not of one run, however equal their latencies."""
_ID_DIGITS = 16


def run_id(stated: Mapping[str, Any]) -> str:
    """Identity of a run from the columns that its record states, before anything is added: 16 hex digits."""
    for pair in ANCHORS:
        figures = [stated.get(name) for name in pair]
        if all(isinstance(figure, int | float) and figure for figure in figures) and _has_digits(figures):
            load = [f"{name} {_rounded(float(stated[name]))}" for name in LOAD if stated.get(name) is not None]
            return _hashed([*load, *(f"{name} {_rounded(figure)}" for name, figure in zip(pair, figures, strict=True))])
    facts = {
        name: re.sub(r"-99(\.9)?$", "", value) if name == "model" and isinstance(value, str) else value
        for name, value in stated.items()
        if value is not None and name not in NO_FACTS and " " not in name
    }
    return _hashed(f"{name} {_rounded(value)}" for name, value in sorted(facts.items()))


def named(points: pl.DataFrame, ids: Mapping[str, str]) -> pl.DataFrame:
    """The points with `record_id` (so far their run id) and the id of their run.

    Records of one id whose systems contradict each other are runs of their own, each under the id with its system.
    """
    known = points.with_columns(record_id="run_id", run_id=pl.col("run_id").replace(ids))
    differ = pl.any_horizontal(pl.col(name).drop_nulls().n_unique().over("run_id") > 1 for name in CONTRADICT)
    facts = pl.concat_str(*CONTRADICT, separator=".", ignore_nulls=True)
    return known.with_columns(run_id=pl.when(differ).then(pl.format("{}-{}", "run_id", facts)).otherwise("run_id"))


def united(points: pl.DataFrame) -> pl.DataFrame:
    """One row a run, with the union of what its rows know; where they differ, the first row's word. Keeps the order of runs."""
    several = pl.len().over("run_id") > 1
    repeated = points.filter(several)
    if repeated.is_empty():
        return points
    known = [pl.col(name).drop_nulls().first() for name in points.columns if name not in ("run_id", "priceable", "notes")]
    notes = pl.col("notes").drop_nulls().unique(maintain_order=True).str.join("; ").replace("", None)
    together = repeated.group_by("run_id").agg(*known, pl.col("priceable").any(), notes).select(points.columns)
    place = points.select("run_id").with_row_index("place").unique("run_id", keep="first")
    return pl.concat([points.filter(~several), together]).join(place, on="run_id").sort("place").drop("place")


def _has_digits(figures: Iterable[Any]) -> bool:
    return any(abs(float(figure) / _significant(float(figure), ENOUGH_DIGITS) - 1) > 1e-9 for figure in figures)


def _rounded(value: Any) -> str:
    return f"{_significant(float(value), SAME_DIGITS):.{SAME_DIGITS}g}" if isinstance(value, float) else str(value)


def _significant(figure: float, digits: int) -> float:
    if figure == 0 or not math.isfinite(figure):
        return figure
    return round(figure, digits - 1 - math.floor(math.log10(abs(figure))))


def _hashed(facts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:_ID_DIGITS]

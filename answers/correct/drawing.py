"""Accuracy against dollars per item: every run, its curve over samples, and the ways that none other beats."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from answers.correct.record import Correct, RunCost, Way
from figures.chart import svg_of
from figures.style import any_looks, interval, known, number

BEST, CHECKED = "none other beats, no check needed", "with a check that never errs"
PANEL = 300
"""Pixels of a benchmark's height."""


def draw_svg(found: Correct) -> bytes:
    """One panel per benchmark with a known cost, as SVG. Raises ValueError where no run has one."""
    benchmarks = list(dict.fromkeys(way.benchmark for way in found.ways))
    if not benchmarks:
        raise ValueError("nothing to draw: no run has both outcomes and a known cost")
    points = pl.DataFrame(
        [point for benchmark in benchmarks for point in points_of(found, benchmark)],
        schema={
            "benchmark": pl.String,
            "line": pl.String,
            "kind": pl.String,
            "usd_per_item": pl.Float64,
            "accuracy": pl.Float64,
            "low": pl.Float64,
            "high": pl.Float64,
        },
    )
    x = number("usd_per_item", "$ per item", log=True, dollars=True)
    y = number("accuracy", "right answers", share=True, zero=True)
    panel = [
        {"transform": [{"filter": known("low")}], **interval("low", "high", along="y")},
        {"transform": [{"filter": {"field": "kind", "equal": "curve"}}], "mark": {"type": "line"}, "encoding": {"y": y}},
        {
            "transform": [{"filter": {"field": "kind", "equal": "best"}}],
            "mark": {"type": "line", "interpolate": "step-after"},
            "encoding": {"y": y},
        },
        {"mark": {"type": "point"}, "encoding": {"y": y, "strokeDash": None}},
    ]
    chart = {
        "vconcat": [
            {
                "title": benchmark,
                "width": 680,
                "height": PANEL,
                "transform": [{"filter": {"field": "benchmark", "equal": benchmark}}],
                "encoding": {"x": x, **any_looks("line")},
                "layer": panel,
            }
            for benchmark in benchmarks
        ]
    }
    return svg_of(chart, points).encode()


def points_of(found: Correct, benchmark: str) -> Iterable[dict[str, Any]]:
    """All that is drawn of a benchmark where its cost is above 0: runs, their curves over samples, both staircases."""
    ways = [way for way in found.ways if way.benchmark == benchmark]
    runs = [run for run in found.runs if run.benchmark == benchmark and run.usd_per_attempt is not None]
    every = [
        *(point for run in runs for point in _of_run(run)),
        *_staircase([way for way in ways if not way.needs_check], BEST),
        *_staircase([way for way in ways if way.needs_check], CHECKED),
    ]
    return ({"benchmark": benchmark, **point} for point in every if point["usd_per_item"] > 0)


def _of_run(run: RunCost) -> Iterable[dict[str, Any]]:
    accuracy = run.accuracy
    one = {"line": run.model, "kind": "run", "usd_per_item": run.usd_per_attempt or 0.0, "accuracy": accuracy.value or 0.0}
    yield {**one, "low": accuracy.low, "high": accuracy.high}
    for name in ("coverage", "vote", "selector"):
        curve = [point for point in run.curve if point.selection == name and point.usd_per_item]
        if len(curve) > 1:
            for point in curve:
                cost, share = point.usd_per_item or 0.0, point.accuracy.value or 0.0
                yield {"line": f"{run.model}, {name}", "kind": "curve", "usd_per_item": cost, "accuracy": share}


def _staircase(ways: list[Way], line: str) -> Iterable[dict[str, Any]]:
    for way in sorted(ways, key=lambda way: way.usd_per_item):
        share = way.accuracy.value or 0.0
        yield {"line": line, "kind": "best", "usd_per_item": way.usd_per_item, "accuracy": share}

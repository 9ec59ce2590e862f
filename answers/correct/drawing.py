"""Accuracy against dollars per item: every run, its curve over samples, and the ways that none other beats."""

from matplotlib.axes import Axes

from answers.correct.record import Correct, Way
from figures.style import BLACK, GREY, SERIES, decades, house_style, log_axis, pictures, sheet

PANEL_INCHES = 3.6


def draw_svg(found: Correct) -> bytes:
    """One panel per benchmark with a known cost, as SVG. Raises ValueError where no run has one."""
    benchmarks = list(dict.fromkeys(way.benchmark for way in found.ways))
    if not benchmarks:
        raise ValueError("nothing to draw: no run has both outcomes and a known cost")
    with house_style():
        picture = sheet(PANEL_INCHES * len(benchmarks))
        panels = picture.subplots(len(benchmarks), 1, squeeze=False)[:, 0]
        for axes, benchmark in zip(panels, benchmarks, strict=True):
            _panel(axes, found, benchmark)
        svg, _ = pictures(picture)
    return svg


def _panel(axes: Axes, found: Correct, benchmark: str) -> None:
    ways = [way for way in found.ways if way.benchmark == benchmark]
    runs = [run for run in found.runs if run.benchmark == benchmark and run.usd_per_attempt is not None]
    costs = [way.usd_per_item for way in ways]
    for at, run in enumerate(runs):
        colour, marker, line = SERIES[at % len(SERIES)]
        points = {
            name: [p for p in run.curve if p.selection == name and p.usd_per_item] for name in ("coverage", "vote", "selector")
        }
        for name, curve in points.items():
            if len(curve) > 1:
                axes.plot(
                    [p.usd_per_item or 0.0 for p in curve],
                    [100 * (p.accuracy.value or 0.0) for p in curve],
                    color=colour,
                    marker=marker,
                    markersize=3,
                    linestyle=line if name != "coverage" else ":",
                    label=f"{run.model}, {name}",
                )
                costs.extend(p.usd_per_item or 0.0 for p in curve)
        low, high = run.accuracy.low, run.accuracy.high
        value = run.accuracy.value or 0.0
        each = run.usd_per_attempt or 0.0
        costs.append(each)
        axes.errorbar(
            [each],
            [100 * value],
            yerr=[[100 * (value - (low or 0.0))], [100 * ((1.0 if high is None else high) - value)]],
            color=colour,
            fmt=marker,
            elinewidth=0.8,
            label=run.model,
        )
    _staircase(axes, [way for way in ways if not way.needs_check], BLACK, "none other beats, no check needed")
    _staircase(axes, [way for way in ways if way.needs_check], GREY, "with a check that never errs")
    positive = [cost for cost in costs if cost > 0]
    if positive:
        log_axis(axes, "x", decades(min(positive) / 2, max(positive) * 2), "${:g}")
        axes.set_xlim(min(positive) / 2, max(positive) * 2)
    axes.set_ylim(0, 100)
    axes.set_xlabel("$ per item")
    axes.set_ylabel("right answers, %")
    axes.set_title(benchmark)
    axes.legend(loc="lower right")


def _staircase(axes: Axes, ways: list[Way], colour: str, label: str) -> None:
    if ways:
        ordered = sorted(ways, key=lambda way: way.usd_per_item)
        axes.step(
            [w.usd_per_item for w in ordered],
            [100 * (w.accuracy.value or 0.0) for w in ordered],
            where="post",
            color=colour,
            linewidth=1.0,
            label=label,
        )

"""The serving frontier: what an output token costs within its latencies, frame by frame, and which points nothing beats."""

from textwrap import fill

import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from figures.exhibit import Exhibit, days, in_words, rows, span
from figures.partition_map import MODEL
from figures.style import BLUE, GREEN, GREY, INK, ORANGE, VERMILLION, decades, house_style, log_axis, sheet

BASES = {
    "published": (VERMILLION, "s", "published"),
    "measured": (GREEN, "D", "measured"),
    "peer_reviewed": (GREEN, "P", "peer-reviewed benchmark"),
    "simulated": (ORANGE, "v", "simulated"),
    "predicted": (BLUE, "o", "predicted by the closed forms"),
}
TITLE_WIDTH = 40
FRAMES, POINTS = 6, 9
"""At most so many frames, and of each the cheapest points."""


def draw(*, serving_frontier: pl.DataFrame) -> Exhibit:
    """A panel per frame: frames with most evidence, and the largest one of predictions for the model of the maps."""
    points = rows(serving_frontier, of="priced operating point")
    frames = chosen_frames(points)
    shown = pl.concat([cheapest(points.filter(frame=frame)) for frame in frames])
    with house_style():
        lines = -(-len(frames) // 2)
        picture = sheet(0.7 + lines * (0.75 + 0.185 * POINTS))
        panels = picture.subplots(lines, min(2, len(frames)), squeeze=False).ravel()
        for axes, frame in zip(panels, frames, strict=False):
            _panel(axes, shown.filter(frame=frame), frame)
        for axes in panels[len(frames) :]:
            axes.set_axis_off()
        used = [look for basis, look in BASES.items() if basis in set(shown["basis"])]
        handles = [Line2D([], [], color=c, marker=m, linestyle="none", label=label) for c, m, label in used]
        handles.append(Line2D([], [], color=GREY, marker="o", markerfacecolor="white", linestyle="none", label="beaten"))
        picture.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    evidence = points.filter(pl.col("basis") != "predicted")
    sure = points.filter("on_frontier").filter(pl.col("frontier_probability") >= 0.95).height
    return Exhibit(
        finding=(
            f"{in_words(points.height, 'operating point')} in {in_words(points['frame'].n_unique(), 'frame')}, "
            f"{evidence.height} of them published or measured: {points.filter('on_frontier').height} are on the frontier of "
            f"their frame in cost, TTFT and TPOT, {sure} of these with a probability of 95 % or more."
        ),
        alt=(
            f"{len(frames)} panels, each a frame of comparable points. In each a row per operating point with its system, GPU "
            "and latencies, its cost per million output tokens on a logarithmic axis with an interval, filled if no other "
            "point of the frame beats it, and the probability of that at the right."
        ),
        as_of=f"Rents of {days(points['gpu_price_on'].drop_nulls()) if points['gpu_price_on'].count() else 'the user'}.",
        uncertainty=(
            "Bars: 5th to 95th percentile over draws of the rent (range of sellers) and of the rate (reading error, spread of "
            "submissions, or MFU, MBU and links of a prediction). p: share of the draws in which the point is on its frontier. "
            f"Of each frame the {POINTS} cheapest points and those on the frontier are drawn; the rest is in the warehouse."
        ),
        numbers=shown.select(
            "frame",
            "system",
            "design",
            "gpu",
            "basis",
            "ttft_s",
            "tpot_s",
            "usd_per_mtok",
            "low_usd_per_mtok",
            "high_usd_per_mtok",
            "on_frontier",
            "frontier_probability",
            "gpu_usd_per_hour",
            "source",
        ).with_columns(pl.selectors.float().round_sig_figs(4)),
        picture=picture,
    )


def chosen_frames(points: pl.DataFrame) -> list[str]:
    """Frames to draw: one of the model of the maps, one with predictions beside evidence, then those with most evidence."""
    sizes = points.group_by("frame").agg(
        pl.len(), model=pl.col("model").first(), evidence=(pl.col("basis") != "predicted").sum()
    )
    ours = sizes.filter(pl.col("model") == MODEL).sort("len", "frame", descending=[True, False])["frame"].head(1)
    proven = sizes.filter(pl.col("evidence") > 0).sort("evidence", "len", "frame", descending=[True, True, False])["frame"]
    both = sizes.filter(pl.col("evidence") > 0, pl.col("evidence") < pl.col("len")).sort("evidence", "frame")["frame"].tail(1)
    largest = sizes.sort("len", "frame", descending=[True, False])["frame"]
    return list(dict.fromkeys([*ours, *both, *proven.head(FRAMES - 1), *largest]))[: max(2, min(FRAMES, 1 + proven.len()))]


def cheapest(frame: pl.DataFrame) -> pl.DataFrame:
    """The points of a frame to draw: all on the frontier as far as there is room, then the cheapest, by cost."""
    first = frame.sort("on_frontier", "usd_per_mtok", descending=[True, False]).head(POINTS)
    return first.sort("usd_per_mtok")


def _panel(axes: Axes, points: pl.DataFrame, frame: str) -> None:
    names, proven = [], points.filter(pl.col("basis") != "predicted")
    differ = proven["system"].n_unique() > 1 or proven.height < points.height
    for place, point in enumerate(points.iter_rows(named=True)):
        colour, marker, _ = BASES[point["basis"]]
        face = colour if point["on_frontier"] else "white"
        cost, low, high = (point[name] for name in ("usd_per_mtok", "low_usd_per_mtok", "high_usd_per_mtok"))
        axes.errorbar(
            [cost],
            [place],
            xerr=[[max(cost - low, 0)], [max(high - cost, 0)]],
            fmt=marker,
            color=colour,
            markerfacecolor=face,
            elinewidth=1,
        )
        if point["on_frontier"]:
            told = f"p={point['frontier_probability']:.2f}"
            axes.annotate(
                told,
                (1.0, place),
                xycoords=("axes fraction", "data"),
                xytext=(-2, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=7,
                color=INK,
                in_layout=False,
            )
        names.append(_name(point, with_system=differ))
    axes.set_yticks(range(points.height), names, fontsize=7)
    axes.set_ylim(max(points.height, 4) - 0.4, -0.6)
    low, high = span(points["low_usd_per_mtok"])[0], span(points["high_usd_per_mtok"])[1]
    ticks = decades(low / 1.2, high * 1.3, (1, 2, 5))
    log_axis(axes, "x", ticks if len(ticks) < 7 else decades(low / 1.2, high * 1.3, (1, 3)), "${:g}")
    axes.set_xlim(low / 1.25, high * 1.7)
    axes.grid(visible=False, axis="y")
    axes.set_title(fill(frame.replace("_", " ").replace(" | ", ", "), TITLE_WIDTH), fontsize=7.5, fontweight="normal")
    axes.set_xlabel("$ per M output tokens", fontsize=8)


def _name(point: dict[str, object], *, with_system: bool) -> str:
    """System where they differ or design where predicted, GPU and latencies of a point, short enough for its row."""
    who = point["design"] if point["basis"] == "predicted" else point["system"] if with_system else None
    ttft, tpot = point["ttft_s"], point["tpot_s"]
    assert isinstance(ttft, float)
    assert isinstance(tpot, float)
    latencies = f"{ttft:.2g} s, {1000 * tpot:.3g} ms"
    return ", ".join([*([str(who)[:22]] if who else []), str(point["gpu"] or "own rent"), latencies])

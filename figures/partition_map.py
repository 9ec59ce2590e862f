"""Which design is cheapest, cell by cell: contract bound against token ratio, a panel per GPU and setting."""

from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch

from figures.exhibit import Exhibit, days, rows
from figures.style import BLUE, GREY, ORANGE, PALE, SKY, house_style, sheet

MODEL = "llama-3.1-70b"
AT = {"arrival_rate_per_s": 16.0, "kv_bytes_per_s_per_gpu": 50e9, "ttft_s": 1.0}
SETTINGS = {"plain": "plain sum", "measured": "measured engines"}
DESIGNS = {
    "disaggregated": (ORANGE, "", "disaggregated"),
    "chunked": (BLUE, "///", "colocated, chunked prefill"),
    "unchunked": (SKY, "...", "colocated, unchunked"),
    "none": (PALE, "xx", "no design meets the contract"),
}
GAP = 1.2
"""Columns between the maps of two GPUs."""


def draw(*, break_even_surface: pl.LazyFrame, partition_summary: pl.DataFrame) -> Exhibit:
    """The map of one model at one rate, bandwidth and TTFT bound, with the shares over the whole grid."""
    cut = slice_of(break_even_surface)
    summary = rows(partition_summary, of="summary of the partition")
    gpus, settings = cut["gpu"].unique(maintain_order=True).to_list(), present(cut)
    with house_style():
        picture = sheet(1.1 + 1.75 * len(settings))
        panels = picture.subplots(len(settings), 1, sharex=True, squeeze=False)[:, 0]
        for axes, setting in zip(panels, settings, strict=True):
            _row(axes, cut.filter(setting=setting), gpus)
            axes.set_ylabel(f"{SETTINGS[setting]}\nTPOT bound, ms")
        panels[-1].set_xlabel("input tokens per output token")
        used = [name for name in DESIGNS if name in set(cut["winner"])]
        handles = [Patch(facecolor=DESIGNS[n][0], hatch=DESIGNS[n][1], edgecolor="white", label=DESIGNS[n][2]) for n in used]
        picture.legend(handles=handles, loc="outside upper center", ncols=len(used))
    shares = summary.group_by("setting", maintain_order=True).agg(
        pl.col("disaggregated_share", "chunked_share", "unchunked_share", "infeasible_share", "isolated_share").mean()
    )
    told = ", ".join(f"{r['disaggregated_share']:.0%} ({SETTINGS[r['setting']]})" for r in shares.iter_rows(named=True))
    alone = "no cell has" if summary["isolated_share"].max() == 0.0 else "few cells have"
    return Exhibit(
        finding=(
            f"Over all GPUs, models and cells of the grid disaggregation is cheapest in {told}. "
            f"The regions are clean: {alone} a winner that no neighbour shares. What counts as overlap between prefill and "
            "decode moves them more than anything else."
        ),
        alt=(
            f"Maps of the cheapest design for {MODEL}: rows are {', '.join(SETTINGS[s] for s in settings)}; columns are "
            f"{', '.join(gpus)}. Disaggregation holds the corner of tight TPOT bounds and long prompts, chunked colocation the "
            "loose bounds."
        ),
        as_of=f"Rents of {days(cut['gpu_price_on'])}.",
        uncertainty=(
            f"{MODEL}, {AT['arrival_rate_per_s']:g} requests/s, {AT['kv_bytes_per_s_per_gpu'] / 1e9:g} GB/s of KV transfer per "
            f"GPU, TTFT p99 {AT['ttft_s']:g} s. The rows of panels are the uncertainty that matters: which switches are on. "
            "MFU and MBU are defaults of 0.5 and 0.8, not fits."
        ),
        numbers=_numbers(cut),
        picture=picture,
    )


def slice_of(surface: pl.LazyFrame) -> pl.DataFrame:
    """The drawn cut through the surface. Raises NothingToShowError where the model or its values are not in it."""
    return rows(surface.filter(model=MODEL, **AT).collect(), of=f"break-even surface of {MODEL} at the drawn values")


def present(cut: pl.DataFrame) -> list[str]:
    """Settings of a cut, in the order they are told."""
    return [name for name in SETTINGS if name in set(cut["setting"])]


def _row(axes: Axes, cells: pl.DataFrame, gpus: list[str]) -> None:
    """One setting: the GPUs side by side on one pair of axes, which draws much faster than axes of their own."""
    ratios, bounds = (sorted(cells[name].unique()) for name in ("input_per_output", "tpot_s"))
    width = len(ratios) + GAP
    runs = runs_of(cells).with_columns(
        left=pl.col("gpu").replace_strict(gpus, range(len(gpus)), return_dtype=pl.Float64) * width
        + pl.col("input_per_output").replace_strict(ratios, range(len(ratios)), return_dtype=pl.Float64),
        bottom=pl.col("tpot_s").replace_strict(bounds, range(len(bounds)), return_dtype=pl.Float64) - 0.5,
    )
    for design, (colour, hatch, _) in DESIGNS.items():
        corners = runs.filter(winner=design).select("left", "bottom", "cells").iter_rows()
        boxes = [[(x, y), (x + n, y), (x + n, y + 1), (x, y + 1)] for x, y, n in corners]
        axes.add_collection(PolyCollection(boxes, facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0.5))
    for block, gpu in enumerate(gpus):
        axes.text(block * width, len(bounds) - 0.3, gpu, fontweight="bold", va="bottom")
    ticks = [
        (block * width + place + 0.5, f"{ratio:g}")
        for block in range(len(gpus))
        for place, ratio in list(enumerate(ratios))[1::2]
    ]
    axes.set_xlim(-0.2, len(gpus) * width - GAP + 0.2)
    axes.set_ylim(-0.5, len(bounds) - 0.5)
    axes.set_xticks([at for at, _ in ticks], [label for _, label in ticks])
    axes.set_yticks(range(len(bounds)), [f"{1000 * bound:g}" for bound in bounds])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=2, color=GREY)


def runs_of(cells: pl.DataFrame) -> pl.DataFrame:
    """Neighbouring cells of one winner along the token ratio as one row: gpu, tpot_s, winner, first ratio and cells."""
    ordered = cells.sort("gpu", "tpot_s", "input_per_output").with_columns(run=pl.struct("gpu", "tpot_s", "winner").rle_id())
    return ordered.group_by("run", "gpu", "tpot_s", "winner").agg(pl.col("input_per_output").first(), cells=pl.len())


def _numbers(cut: pl.DataFrame) -> pl.DataFrame:
    winner = pl.col("winner")
    words: dict[str, Any] = {
        f"at_{ratio:g}_tokens_in_per_out": winner.filter(pl.col("input_per_output") == ratio).first()
        for ratio in sorted(cut["input_per_output"].unique())
    }
    bound_ms = (1000 * pl.col("tpot_s")).round(3).alias("tpot_bound_ms")
    return cut.group_by("setting", "gpu", bound_ms, maintain_order=True).agg(**words)

"""Which design is cheapest, cell by cell: contract bound against token ratio, a panel per GPU and setting."""

from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from figures.exhibit import Exhibit, days, rows
from figures.style import BLUE, GREY, ORANGE, PALE, SKY, house_style, sheet

MODEL = "llama-3.1-70b"
AT = {"arrival_rate_per_s": 16.0, "kv_bytes_per_s_per_gpu": 50e9, "ttft_s": 1.0}
SETTINGS = {"plain": "plain sum", "realistic": "realistic", "full_overlap": "full overlap"}
DESIGNS = {
    "disaggregated": (ORANGE, "", "disaggregated"),
    "chunked": (BLUE, "///", "colocated, chunked prefill"),
    "unchunked": (SKY, "...", "colocated, unchunked"),
    "none": (PALE, "xx", "no design meets the contract"),
}


def draw(*, break_even_surface: pl.DataFrame, partition_summary: pl.DataFrame) -> Exhibit:
    """The map of one model at one rate, bandwidth and TTFT bound, with the shares over the whole grid."""
    cut = slice_of(break_even_surface)
    summary = rows(partition_summary, of="summary of the partition")
    gpus, settings = cut["gpu"].unique(maintain_order=True).to_list(), present(cut)
    with house_style():
        picture = sheet(1.1 + 1.85 * len(settings))
        grid = picture.subplots(len(settings), len(gpus), sharex=True, sharey=True, squeeze=False)
        for axes_row, setting in zip(grid, settings, strict=True):
            for axes, gpu in zip(axes_row, gpus, strict=True):
                _panel(axes, cut.filter(setting=setting, gpu=gpu))
        for axes, gpu in zip(grid[0], gpus, strict=True):
            axes.set_title(gpu)
        for axes, setting in zip(grid[:, 0], settings, strict=True):
            axes.set_ylabel(f"{SETTINGS[setting]}\nTPOT bound, ms")
        picture.supxlabel("input tokens per output token", fontsize=9)
        used = [name for name in DESIGNS if name in set(cut["winner"])]
        handles = [
            Patch(facecolor=DESIGNS[n][0], hatch=DESIGNS[n][1], edgecolor="white", label=DESIGNS[n][2]) for n in used
        ]
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
    )  # fmt: skip


def slice_of(surface: pl.DataFrame) -> pl.DataFrame:
    """The drawn cut through the surface. Raises NothingToShowError where the model or its values are not in it."""
    return rows(surface.filter(model=MODEL, **AT), of=f"break-even surface of {MODEL} at the drawn values")


def present(cut: pl.DataFrame) -> list[str]:
    """Settings of a cut, in the order they are told."""
    return [name for name in SETTINGS if name in set(cut["setting"])]


def _panel(axes: Axes, cells: pl.DataFrame) -> None:
    ratios, bounds = (sorted(cells[name].unique()) for name in ("input_per_output", "tpot_s"))
    for bound, row in cells.sort("input_per_output").group_by("tpot_s", maintain_order=True):
        runs = row.group_by(pl.col("winner").rle_id().alias("run"), "winner", maintain_order=True).agg(
            pl.col("input_per_output").first(), pl.len()
        )
        for run in runs.iter_rows(named=True):
            colour, hatch, _ = DESIGNS[run["winner"]]
            corner = (ratios.index(run["input_per_output"]) - 0.5, bounds.index(bound[0]) - 0.5)
            axes.add_patch(
                Rectangle(corner, run["len"], 1, facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0.5)
            )
    axes.set_xlim(-0.5, len(ratios) - 0.5)
    axes.set_ylim(-0.5, len(bounds) - 0.5)
    axes.set_xticks(np.arange(len(ratios))[1::2], [f"{ratio:g}" for ratio in ratios][1::2])
    axes.set_yticks(np.arange(len(bounds)), [f"{1000 * bound:g}" for bound in bounds])
    axes.grid(visible=False)
    axes.tick_params(length=2, color=GREY)


def _numbers(cut: pl.DataFrame) -> pl.DataFrame:
    winner = pl.col("winner")
    words: dict[str, Any] = {
        f"at_{ratio:g}_tokens_in_per_out": winner.filter(pl.col("input_per_output") == ratio).first()
        for ratio in sorted(cut["input_per_output"].unique())
    }
    bound_ms = (1000 * pl.col("tpot_s")).round(3).alias("tpot_bound_ms")
    return cut.group_by("setting", "gpu", bound_ms, maintain_order=True).agg(**words)

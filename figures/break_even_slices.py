"""Where disaggregation starts to pay: the break-even TPOT bound along the token ratio, with the range of bandwidths."""

import polars as pl
from matplotlib.axes import Axes

from figures.exhibit import Exhibit, days, rows
from figures.partition_map import AT, MODEL, SETTINGS, present
from figures.style import SERIES, house_style, log_axis, sheet

DODGE = 1.08
"""Factor between neighbouring lines along the token ratio, so that their bars stand apart."""
RATE = {name: AT[name] for name in ("arrival_rate_per_s", "ttft_s")}


def draw(*, break_even_surface: pl.LazyFrame) -> Exhibit:
    """A panel per setting, a line per GPU at the middle bandwidth, a bar from the lowest to the highest."""
    turning = rows(
        break_even_surface.filter(model=MODEL, tpot_verdict="crosses", **RATE)
        .filter(pl.col("tpot_s") == pl.col("tpot_s").min())
        .collect(),
        of=f"TPOT bound at which the cheaper design for {MODEL} changes",
    )
    lines = turning.group_by("setting", "gpu", "input_per_output", maintain_order=True).agg(
        break_even_tpot_ms=1000
        * pl.col("break_even_tpot_s").filter(pl.col("kv_bytes_per_s_per_gpu") == AT["kv_bytes_per_s_per_gpu"]).first(),
        at_slowest_kv_ms=1000 * pl.col("break_even_tpot_s").sort_by("kv_bytes_per_s_per_gpu").first(),
        at_fastest_kv_ms=1000 * pl.col("break_even_tpot_s").sort_by("kv_bytes_per_s_per_gpu").last(),
    )
    settings = present(turning)
    gpus = break_even_surface.select(pl.col("gpu").unique(maintain_order=True)).collect()["gpu"].to_list()
    with house_style():
        picture = sheet(3.4)
        panels = picture.subplots(1, len(settings), sharex=True, sharey=True, squeeze=False)[0]
        for axes, setting in zip(panels, settings, strict=True):
            _panel(axes, lines.filter(setting=setting), gpus)
            axes.set_title(SETTINGS[setting])
        panels[0].set_ylabel("TPOT bound below which\ndisaggregation is cheaper, ms")
        picture.supxlabel("input tokens per output token", fontsize=9)
        handles = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        picture.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=5)
    return Exhibit(
        finding=_finding(lines),
        alt=(
            f"Lines of the break-even TPOT bound for {MODEL} against input tokens per output token, one per GPU, in panels "
            f"for {', '.join(SETTINGS[s] for s in settings)}. Below a line disaggregation is cheaper, "
            "above it chunked colocation."
        ),
        as_of=f"Rents of {days(turning['gpu_price_on'])}.",
        uncertainty=(
            f"{MODEL}, {RATE['arrival_rate_per_s']:g} requests/s, TTFT p99 {RATE['ttft_s']:g} s. Lines: KV transfer at "
            f"{AT['kv_bytes_per_s_per_gpu'] / 1e9:g} GB/s per GPU; bars: the slowest to the fastest link of the grid. A GPU "
            "without a line never changes its cheaper design there. MFU and MBU are defaults of 0.5 and 0.8, not fits."
        ),
        numbers=lines.with_columns(pl.selectors.float().round_sig_figs(4)),
        picture=picture,
    )


def _panel(axes: Axes, lines: pl.DataFrame, gpus: list[str]) -> None:
    for place, (gpu, (colour, marker, dashes)) in enumerate(zip(gpus, SERIES, strict=False)):
        line = lines.filter(gpu=gpu).sort("input_per_output")
        if line.is_empty():
            continue
        beside = line["input_per_output"] * DODGE ** (place - (len(gpus) - 1) / 2)
        middle = line["break_even_tpot_ms"]
        ends = line.select(
            low=pl.min_horizontal("at_slowest_kv_ms", "at_fastest_kv_ms", "break_even_tpot_ms"),
            high=pl.max_horizontal("at_slowest_kv_ms", "at_fastest_kv_ms", "break_even_tpot_ms"),
        )
        axes.errorbar(
            beside,
            middle,
            yerr=[middle - ends["low"], ends["high"] - middle],
            color=colour,
            marker=marker,
            linestyle=dashes,
            elinewidth=1,
            markersize=4,
            label=gpu,
        )
    log_axis(axes, "x", (0.5, 2, 8, 32))
    log_axis(axes, "y", (10, 15, 20, 30, 50, 75, 100, 150))


def _finding(lines: pl.DataFrame) -> str:
    ranges = lines.group_by("setting", maintain_order=True).agg(
        low=pl.col("break_even_tpot_ms").min(), high=pl.col("break_even_tpot_ms").max(), gpus=pl.col("gpu").n_unique()
    )
    told = "; ".join(
        f"{SETTINGS[r['setting']]}: {r['low']:.0f} to {r['high']:.0f} ms on {r['gpus']} GPUs"
        for r in ranges.iter_rows(named=True)
        if r["low"] is not None
    )
    return f"For {MODEL} disaggregation pays below a TPOT bound of these (least to largest over token ratios): {told}."

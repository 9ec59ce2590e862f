"""Where disaggregation starts to pay: the break-even TPOT bound along the token ratio, with the range of bandwidths."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, days, rounded, rows
from figures.partition_map import AT, COSTS, MODEL, SHAPES
from figures.style import interval, looks, number

LINE = ("model", "setting", "gpu", "arrival_rate_per_s", "ttft_s", "input_per_output")


def draw(*, break_even_surface: pl.LazyFrame, gpu_price: pl.DataFrame) -> Exhibit:
    """A line per GPU at the middle bandwidth, a bar from the lowest to the highest."""
    lines = rows(lines_of(break_even_surface), of="TPOT bound at which the cheaper design changes")
    gpus = lines["gpu"].unique(maintain_order=True).to_list()
    y = number("break_even_tpot_ms", "TPOT bound below which disaggregation is cheaper, ms", log=True)
    return Exhibit(
        finding=_finding(lines),
        as_of=f"Rents of {days(lines['gpu_price_on'])}.",
        uncertainty=(
            f"Lines: KV transfer at {AT['kv_bytes_per_s_per_gpu'] / 1e9:g} GB/s per GPU; bars: the slowest to the fastest link "
            "of the grid. A GPU without a line never changes its cheaper design there. Costs in a mark's words are those at "
            "the tightest TPOT bound of the grid and the middle bandwidth."
        ),
        rows=rounded(lines),
        chart={
            "height": 300,
            "encoding": {
                "x": number("input_per_output", "input tokens per output token", log=True),
                **looks("gpu", gpus, of="line"),
            },
            "layer": [
                interval("at_least_ms", "at_most_ms", along="y"),
                {"mark": {"type": "line"}, "encoding": {"y": y}},
                {"mark": {"type": "point"}, "encoding": {"y": y, "shape": looks("gpu", gpus)["shape"]}},
            ],
        },
        told=Told(
            name=("gpu", "input_per_output"),
            value="break_even_tpot_ms",
            source="source",
            on="gpu_price_on",
            low="at_least_ms",
            high="at_most_ms",
            more=(*COSTS, "margin", "model", "setting"),
        ),
        sql=(
            f"SELECT {', '.join(LINE)}, kv_bytes_per_s_per_gpu, 1000 * break_even_tpot_s AS break_even_tpot_ms, "
            f"{', '.join(COSTS)}, margin FROM marts.break_even_surface WHERE tpot_verdict = 'crosses' "
            "AND tpot_s = (SELECT min(tpot_s) FROM marts.break_even_surface)"
        ),
        rests_on=(*SHAPES, *gpu_price.filter(pl.col("gpu").is_in(gpus))["sources"].unique().sort()),
        controls=(
            Control(column="model", label="Model", start=MODEL),
            Control(column="setting", label="Setting", start=str(lines["setting"].unique(maintain_order=True)[-1])),
            Control(column="arrival_rate_per_s", label="Requests per second", start=AT["arrival_rate_per_s"], slider=True),
            Control(column="ttft_s", label="TTFT bound, s", start=AT["ttft_s"]),
        ),
        log=("x", "y"),
    )


def lines_of(surface: pl.LazyFrame) -> pl.DataFrame:
    """Break-even TPOT bounds at the middle bandwidth, their ends over all bandwidths, and the costs at the tightest bound."""
    tightest = pl.col("tpot_s") == pl.col("tpot_s").min()
    turning = surface.filter(tightest).filter(tpot_verdict="crosses")
    middle = pl.col("kv_bytes_per_s_per_gpu") == AT["kv_bytes_per_s_per_gpu"]
    ms = 1000 * pl.col("break_even_tpot_s")
    return (
        turning.group_by(LINE)
        .agg(
            break_even_tpot_ms=ms.filter(middle).first(),
            at_least_ms=ms.min(),
            at_most_ms=ms.max(),
            **{name: pl.col(name).filter(middle).first() for name in (*COSTS, "margin")},
            gpu_price_on=pl.col("gpu_price_on").first(),
            source=pl.format("closed forms, {} rents", pl.col("gpu_price_term").first()).str.replace_all("_", " "),
        )
        .drop_nulls("break_even_tpot_ms")
        .sort("setting", "gpu", "model", "arrival_rate_per_s", "ttft_s", "input_per_output")
        .collect()
    )


def _finding(lines: pl.DataFrame) -> str:
    drawn = lines.filter(model=MODEL, arrival_rate_per_s=AT["arrival_rate_per_s"], ttft_s=AT["ttft_s"])
    ranges = drawn.group_by("setting", maintain_order=True).agg(
        low=pl.col("break_even_tpot_ms").min(), high=pl.col("break_even_tpot_ms").max(), gpus=pl.col("gpu").n_unique()
    )
    told = "; ".join(
        f"{r['setting'].replace('_', ' ')}: {r['low']:.0f} to {r['high']:.0f} ms on {r['gpus']} GPUs"
        for r in ranges.iter_rows(named=True)
    )
    return (
        f"For {MODEL} disaggregation pays below a TPOT bound of these (least to largest over token ratios): "
        f"{told or 'nowhere at the values drawn first'}."
    )

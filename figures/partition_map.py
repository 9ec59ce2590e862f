"""Which design is cheapest, cell by cell: contract bound against token ratio, for the model, GPU and setting picked."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, days, rows
from figures.style import BLUE, ORANGE, PALE, SKY, stale_marks
from schemas.prices.llm_prices import STALE_AFTER_DAYS

MODEL, GPU = "llama-3.1-70b", "h100-sxm"
AT = {"arrival_rate_per_s": 16.0, "kv_bytes_per_s_per_gpu": 50e9, "ttft_s": 1.0}
DESIGNS = {"disaggregated": ORANGE, "chunked": BLUE, "unchunked": SKY, "none": PALE}
COSTS = ("unchunked_usd_per_mtok", "chunked_usd_per_mtok", "disaggregated_usd_per_mtok")
SHAPES = ("published_hardware", "published_model_shape")
"""Documents on GPUs and models that every predicted cost rests on."""
CONTRACT = ("model", "setting", "gpu", "arrival_rate_per_s", "ttft_s", "tpot_s", "input_per_output")


def draw(*, break_even_surface: pl.LazyFrame, partition_summary: pl.DataFrame, gpu_price: pl.DataFrame) -> Exhibit:
    """A cell per TPOT bound and token ratio, coloured by the cheapest design, with the cost of each and the margin."""
    cells = cells_of(break_even_surface, gpu_price)
    summary = rows(partition_summary, of="summary of the partition")
    shares = summary.group_by("setting", maintain_order=True).agg(
        pl.col("disaggregated_share", "chunked_share", "unchunked_share", "infeasible_share", "isolated_share").mean()
    )
    told = ", ".join(f"{r['disaggregated_share']:.0%} ({r['setting'].replace('_', ' ')})" for r in shares.iter_rows(named=True))
    alone = "no cell has" if summary["isolated_share"].max() == 0.0 else "few cells have"
    x = {"field": "input_per_output", "type": "ordinal", "title": "input tokens per output token", "axis": {"labelAngle": 0}}
    y = {"field": "tpot_ms", "type": "ordinal", "title": "TPOT bound, ms", "sort": "descending"}
    return Exhibit(
        finding=(
            f"Over all GPUs, models and cells of the grid disaggregation is cheapest in {told}. "
            f"The regions are clean: {alone} a winner that no neighbour shares. What is assumed of prefill and decode on one "
            "GPU moves them more than anything else."
        ),
        as_of=f"Rents of {days(cells['gpu_price_on'])}.",
        uncertainty=(
            f"KV transfer at {AT['kv_bytes_per_s_per_gpu'] / 1e9:g} GB/s per GPU. The switch that matters most is the "
            f"setting ({', '.join(s.replace('_', ' ') for s in summary['setting'].unique(maintain_order=True))}); "
            "`marts.partition_summary.refinements` names what each holds. The margin is how much dearer the second design is."
        ),
        rows=cells,
        chart={
            "height": {"step": 26},
            "encoding": {"x": x, "y": y},
            "layer": [
                {
                    "mark": {"type": "rect", "stroke": "#ffffff", "strokeWidth": 1},
                    "encoding": {
                        "color": {
                            "field": "winner",
                            "type": "nominal",
                            "title": "cheapest",
                            "scale": {"domain": list(DESIGNS), "range": list(DESIGNS.values())},
                        }
                    },
                },
                {
                    "mark": {"type": "text", "fontSize": 9, "color": "#111111"},
                    "encoding": {"text": {"field": "mark", "type": "nominal"}},
                },
                stale_marks(),
            ],
        },
        told=Told(
            name=("winner", "input_per_output", "tpot_ms"),
            value="usd_per_mtok",
            source="source",
            on="gpu_price_on",
            more=(*COSTS, "margin", "deciding_term", "gpu", "model", "setting"),
        ),
        sql=(
            f"SELECT {', '.join(CONTRACT)}, 1000 * tpot_s AS tpot_ms, winner, {', '.join(COSTS)}, margin, deciding_term "
            f"FROM marts.break_even_surface WHERE kv_bytes_per_s_per_gpu = {AT['kv_bytes_per_s_per_gpu']:g}"
        ),
        rests_on=(*SHAPES, *cells["rent_sources"].drop_nulls().unique().sort()),
        controls=(
            Control(column="model", label="Model", start=MODEL),
            Control(column="gpu", label="GPU", start=GPU),
            Control(column="setting", label="Setting", start=first_setting(cells)),
            Control(column="arrival_rate_per_s", label="Requests per second", start=AT["arrival_rate_per_s"], slider=True),
            Control(column="ttft_s", label="TTFT bound, s", start=AT["ttft_s"]),
        ),
    )


def first_setting(cells: pl.DataFrame) -> str:
    """The setting that is shown first: the one with most in it, which the surface lists last, where its cells differ at all."""
    settings = cells["setting"].unique(maintain_order=True).to_list()
    mixed = [name for name in settings if cells.filter(setting=name, model=MODEL, gpu=GPU)["winner"].n_unique() > 1]
    return str((mixed or settings)[-1])


def cells_of(surface: pl.LazyFrame, gpu_price: pl.DataFrame) -> pl.DataFrame:
    """Cells of the grid at the drawn bandwidth, with costs to three digits. Raises NothingToShowError where there is none."""
    found = (
        surface.filter(kv_bytes_per_s_per_gpu=AT["kv_bytes_per_s_per_gpu"])
        .select(*CONTRACT, "winner", *COSTS, "margin", "deciding_term", "gpu_price_term", "gpu_price_on")
        .collect()
    )
    rents = gpu_price.select("gpu", "as_of", rent_sources="sources")
    return (
        rows(found, of="break-even surface at the drawn bandwidth")
        .join(rents, on="gpu", how="left", maintain_order="left")
        .with_columns(
            tpot_ms=(1000 * pl.col("tpot_s")).round(3),
            usd_per_mtok=pl.min_horizontal(*COSTS).round_sig_figs(3),
            mark=pl.when(pl.col("winner") == "none").then(pl.lit("x")).otherwise(pl.col("winner").str.slice(0, 1)),
            source=pl.format("closed forms, {} rents", pl.col("gpu_price_term").cast(pl.String).str.replace_all("_", " ")),
            is_stale=((pl.col("as_of") - pl.col("gpu_price_on")).dt.total_days() > STALE_AFTER_DAYS).fill_null(False),
            **{name: pl.col(name).round_sig_figs(3) for name in (*COSTS, "margin")},
        )
        .drop("gpu_price_term", "as_of")
    )

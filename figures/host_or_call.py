"""From which volume hosting an open model costs less than calling it, model by model, with the interval of the step times."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, days, rounded, rows
from figures.style import BLUE, GREEN, ORANGE, PURPLE, interval, looks, named_rows, number

WORKLOAD = "chat"
VOLUME = 100_000.0
"""Rows of one volume are read: break-evens do not depend on it."""
MOST_MODELS = 24
"""Models of each workload: those whose hosting pays first."""
LEAST, MOST = 100.0, 1e8
BASES = {
    "runs of your own": BLUE,
    "runs of the model on the GPU": GREEN,
    "runs of the engine on the family": ORANGE,
    "no runs": PURPLE,
}


def draw(*, host_or_call: pl.DataFrame) -> Exhibit:
    """A row per model on the GPU on which hosting pays first."""
    first = rows(pays_first(host_or_call), of="model whose hosting pays at some volume")
    asked = host_or_call.select("model", "workload").unique()
    shown = first.filter(workload=WORKLOAD)
    every = asked.filter(pl.col("workload").cast(pl.String) == WORKLOAD).height
    chat = host_or_call.filter(pl.col("workload").cast(pl.String) == WORKLOAD)
    paying, surely = (
        chat.filter(pl.col(name).is_not_null())["model"].n_unique()
        for name in ("break_even_per_day", "break_even_high_per_day")
    )
    lead = "" if shown.is_empty() else f"; first for {shown['model'][0]}, from {shown['break_even_per_day'][0]:,.0f} a day"
    return Exhibit(
        finding=(
            f"At today's prices and rents hosting pays at some volume for {paying} of {every} open models in chat{lead}. For "
            f"{surely} of them it does even at the slow end of what is known of the engines' step times."
        ),
        as_of=f"Prices of {days(first['price_evidence_on'])}; rents of core.gpu_price.",
        uncertainty=(
            "Bars: if every pass of the engine took as long, or as short, as the interval of its step times allows; a bar that "
            "reaches the edge pays at no volume there. Peak of twice the mean, GPUs reserved around the clock, nothing but "
            "rent paid, lengths and cached share of the workload in use; the seller is the cheapest that is believed."
        ),
        rows=rounded(first),
        chart={
            "height": {"step": 16},
            "encoding": {"y": named_rows("label")},
            "layer": [
                interval("drawn_low", "drawn_high", color=looks("rests_on", BASES)["color"]),
                {
                    "mark": {"type": "point", "size": 55},
                    "encoding": {
                        "x": number("break_even_per_day", "requests a day from which hosting costs less", log=True),
                        **looks("rests_on", BASES),
                    },
                },
            ],
        },
        told=Told(
            name=("label",),
            value="break_even_per_day",
            source="source",
            on="price_evidence_on",
            low="break_even_low_per_day",
            high="break_even_high_per_day",
            more=("workload", "seller", "engine", "least_utilisation"),
        ),
        sql=(
            "SELECT model, workload, gpu, seller, engine, basis, break_even_per_day, break_even_low_per_day, "
            "break_even_high_per_day, least_utilisation, price_evidence_on FROM marts.host_or_call "
            f"WHERE requests_per_day = {VOLUME:.0f} AND break_even_per_day IS NOT NULL"
        ),
        rests_on=("genai_prices", "litellm", "models_dev", "gpu_rent_figures"),
        controls=(Control(column="workload", label="workload", start=WORKLOAD),),
        log=("x",),
    )


def pays_first(host_or_call: pl.DataFrame) -> pl.DataFrame:
    """For each model and workload the GPU with the earliest break-even, the first MOST_MODELS of each workload."""
    told = dict(zip(("own", "group", "family", "none"), BASES, strict=True))
    first = (
        host_or_call.filter(pl.col("requests_per_day") == VOLUME, pl.col("break_even_per_day").is_not_null())
        .with_columns(pl.col("workload", "basis").cast(pl.String))
        .sort("break_even_per_day", "model", "gpu")
        .unique(["model", "workload"], keep="first", maintain_order=True)
        .with_columns(place=pl.int_range(pl.len()).over("workload"))
        .filter(pl.col("place") < MOST_MODELS)
    )
    return first.select(
        "model",
        "workload",
        "seller",
        "engine",
        "break_even_per_day",
        "break_even_low_per_day",
        "break_even_high_per_day",
        "least_utilisation",
        "price_evidence_on",
        label=pl.format("{} on {}", "model", "gpu"),
        rests_on=pl.col("basis").replace_strict(told, return_dtype=pl.String),
        source=pl.format("marts.host_or_call: {} at {}", "model", "seller"),
        drawn_low=pl.coalesce("break_even_low_per_day", "break_even_per_day").clip(LEAST, MOST),
        drawn_high=pl.when(pl.col("break_even_low_per_day").is_not_null())
        .then(pl.col("break_even_high_per_day").fill_null(MOST).clip(LEAST, MOST))
        .otherwise("break_even_per_day"),
    )

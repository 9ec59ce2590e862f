"""The frame that stands for a model: one kind of question and one term of rent, and the devices that lack it beside it."""

import polars as pl

QUESTION = ["model", "workload", "percentile", "tpot_definition", "arrival"]
"""What a frame is besides the term of the rent."""
FIRST_TERM = "on_demand"


def with_headline(points: pl.DataFrame) -> pl.DataFrame:
    """Points of the frontier with `headline`: frame, beside, or NULL.

    Of each model the question with most published or measured points, else with most points; of its terms on demand, else the
    one with most GPUs. Beside stand, under that question, points of GPUs that the term does not have, each at its own term.
    """
    weight = {"evidence": (pl.col("basis") != "predicted").sum(), "points": pl.len()}
    questions = (
        points.group_by(QUESTION).agg(**weight).sort("evidence", "points", *QUESTION, descending=[True, True, *[False] * 5])
    )
    chosen = questions.unique("model", keep="first", maintain_order=True).select(QUESTION)
    asked = points.join(chosen, on=QUESTION, how="semi", nulls_equal=True)
    terms = (
        asked.group_by("model", "gpu_price_term")
        .agg(gpus=pl.col("gpu").n_unique(), has=pl.col("gpu").unique())
        .sort(pl.col("gpu_price_term") != FIRST_TERM, "gpus", "gpu_price_term", descending=[False, True, False])
        .unique("model", keep="first", maintain_order=True)
        .select("model", "has", headline_term="gpu_price_term")
    )
    marked = points.with_row_index("row").join(
        chosen.with_columns(asked=pl.lit(value=True)), on=QUESTION, how="left", nulls_equal=True
    )
    in_term = pl.col("gpu_price_term") == pl.col("headline_term")
    lacks = ~pl.col("gpu").is_in(pl.col("has")).fill_null(value=True)
    return (
        marked.join(terms, on="model", how="left")
        .sort("row")
        .with_columns(
            headline=pl.when(pl.col("asked") & in_term)
            .then(pl.lit("frame"))
            .when(pl.col("asked") & lacks)
            .then(pl.lit("beside"))
        )
        .drop("row", "asked", "headline_term", "has")
    )

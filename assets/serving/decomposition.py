"""Published gains split into factors: which figures make which factor is data, `sources/transcribed/gain_factor.csv`."""

import polars as pl

from assets.frames import floats, nullable
from economics.serving.decomposition import log_share, unexplained
from schemas.base import polars_schema
from schemas.serving import decomposition as contract
from schemas.status import STATUSES
from sources.evidence.published_figures import gain_factors
from warehouse.table import table

GROUP = "serving"

KNOWN = contract.FACTORS[:-1]
NAME = pl.format("{}.{}", "paper", "figure")
"""How a factor names a figure: document.figure."""


@table(schema=contract.ServingDecomposition, group=GROUP)
def serving_decomposition(
    cited_figure: pl.DataFrame, published_common_frame: pl.DataFrame, serving_frontier: pl.DataFrame
) -> pl.DataFrame:
    """Every gain of the list with its factors."""
    return decomposed(gain_factors(), cited_figure, published_common_frame, serving_frontier)


def decomposed(factors: pl.DataFrame, figures: pl.DataFrame, points: pl.DataFrame, frontier: pl.DataFrame) -> pl.DataFrame:
    """Gains with all their factors. A gain that rests on an absent figure is left out, such a factor is not known.

    `factors`: `sources.evidence.published_figures.gain_factors`; `figures`: contract `CitedFigure`; `points`:
    `PublishedCommonFrame`; `frontier`: `ServingFrontier`, whose predictions give the factor `design`.
    """
    believed = figures.with_columns(name=NAME, amount=_as_ratio())
    valued = _with_values(factors, believed)
    gains = _gains(valued.filter(pl.col("factor") == "ratio").drop_nulls("value"), believed)
    every = gains.join(pl.DataFrame({"factor": KNOWN}), how="cross")
    told = valued.select("gain", "factor", "value", "bound", "spread", "how", "inputs", "rank")
    split = every.join(told, on=["gain", "factor"], how="left")
    whole = _with_ranges(_with_design(split, frontier), points)
    return _with_left_over(whole).select(
        pl.col(name).cast(dtype) for name, dtype in polars_schema(contract.ServingDecomposition).items()
    )


def _as_ratio() -> pl.Expr:
    """A gain or change in percent as a factor; all else as printed."""
    percent = pl.col("metric").is_in(["capacity_gain_percent", "prefill_gpu_time_change_percent"])
    return pl.when(percent).then(1.0 + pl.col("value") / 100.0).otherwise("value")


def _with_values(factors: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """Numerator over denominator, an absent one being 1; NULL where a figure that is named is not believed."""
    known = figures.select("name", "amount", rank=pl.col("status").replace_strict({s: i for i, s in enumerate(STATUSES)}))
    joined = factors
    for part in ("numerator", "denominator"):
        joined = joined.join(
            known.rename({"name": part, "amount": f"{part}_value", "rank": f"{part}_rank"}), on=part, how="left"
        )
    value = [pl.when(pl.col(part).is_null()).then(1.0).otherwise(f"{part}_value") for part in ("numerator", "denominator")]
    return joined.with_columns(
        value=value[0] / value[1],
        inputs=pl.concat_str("numerator", "denominator", separator=" / ", ignore_nulls=True).replace("", None),
        rank=pl.max_horizontal("numerator_rank", "denominator_rank").fill_null(0),
    )


def _gains(ratios: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """What each gain is of, from the figure in its numerator; its baseline from the one in its denominator, if any."""
    about = figures.select(
        "paper", "system", "model", "gpu", "workload", "ttft_s", "tpot_s", numerator="name", named="baseline"
    )
    baselines = figures.select(denominator="name", old="system")
    return (
        ratios.select("gain", "numerator", "denominator", ratio="value", ratio_rank="rank")
        .join(about, on="numerator", how="left")
        .join(baselines, on="denominator", how="left")
        .with_columns(baseline=pl.coalesce("old", "named"))
    )


def _with_design(split: pl.DataFrame, frontier: pl.DataFrame) -> pl.DataFrame:
    """The factor `design`: predicted GPU-hours of the old design over those of the new one under the same contract."""
    predicted = frontier.filter(pl.col("basis") == "predicted").select(
        "model", "gpu", "workload", "ttft_s", "tpot_s", "design", hours="gpu_hours_per_mtok"
    )
    asked = split.with_columns(
        old_design=pl.col("inputs").str.split(" / ").list.first(),
        new_design=pl.col("inputs").str.split(" / ").list.last(),
        in_frame=pl.format("{} ({})", "workload", "paper"),
    )
    for part in ("old", "new"):
        asked = asked.join(
            predicted.rename({"workload": "in_frame", "design": f"{part}_design", "hours": f"{part}_hours"}),
            on=["model", "gpu", "in_frame", "ttft_s", "tpot_s", f"{part}_design"],
            how="left",
        )
    is_design = pl.col("factor") == "design"
    return asked.with_columns(value=pl.when(is_design).then(pl.col("old_hours") / pl.col("new_hours")).otherwise("value"))


def _with_ranges(split: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """Ends of each factor: the Wilson interval of the attainment named, or 1 where only an upper end is known."""
    sampled = points.select("attainment", "attainment_low", "attainment_high", spread=NAME).unique("spread")
    at_most = pl.col("bound") == "at_most"
    share = pl.col("attainment")
    return split.join(sampled, on="spread", how="left").with_columns(
        low=pl.when(at_most).then(1.0).otherwise(pl.col("value") * pl.coalesce(share / pl.col("attainment_high"), 1.0)),
        high=pl.when(at_most).then("value").otherwise(pl.col("value") * pl.coalesce(share / pl.col("attainment_low"), 1.0)),
        value=pl.when(at_most).then(None).otherwise("value"),
        basis=pl.when(pl.col("value").is_null())
        .then(pl.lit("unknown"))
        .when(at_most)
        .then(pl.lit("at_most"))
        .when(pl.col("factor") == "design")
        .then(pl.lit("closed_form"))
        .when(pl.col("inputs").is_null())
        .then(pl.lit("same_on_both_sides"))
        .otherwise(pl.lit("computed")),
        how=pl.when(pl.col("value").is_not_null()).then("how"),
        inputs=pl.when(pl.col("value").is_not_null()).then("inputs"),
        status=pl.max_horizontal("ratio_rank", pl.col("rank").fill_null(0)).replace_strict(
            dict(enumerate(STATUSES)), return_dtype=pl.String
        ),
    )


def _with_left_over(split: pl.DataFrame) -> pl.DataFrame:
    """Add what the known factors leave of each gain, and the share of every factor."""
    order = {name: i for i, name in enumerate(contract.FACTORS)}
    ordered = split.sort("gain", pl.col("factor").replace_strict(order, return_dtype=pl.Int64))
    by_gain = (ordered.height // len(KNOWN), len(KNOWN))
    value, low, high = (floats(ordered, name).reshape(by_gain) for name in ("value", "low", "high"))
    first = ordered.gather_every(len(KNOWN))
    ratio = floats(first, "ratio")
    left = {"value": value, "low": high, "high": low}
    rest = first.with_columns(
        *(pl.Series(name, unexplained(ratio=ratio, factors=known)) for name, known in left.items()),
        factor=pl.lit("unexplained"),
        basis=pl.lit("left_over"),
        how=pl.lit(None, pl.String),
        inputs=pl.lit(None, pl.String),
        status=pl.col("ratio_rank").replace_strict(dict(enumerate(STATUSES)), return_dtype=pl.String),
    )
    together = pl.concat([ordered, rest]).sort("gain", pl.col("factor").replace_strict(order, return_dtype=pl.Int64))
    shares = log_share(ratio=floats(together, "ratio"), factor=floats(together, "value"))
    return together.with_columns(log_share=nullable(shares))

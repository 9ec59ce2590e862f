"""Price compression: published falls beside ours, and the fall of a quality's price split into its factors (formula P5)."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

import polars as pl

from assets.documents import parse_all, source_asset
from assets.frames import floats, nullable, where_known
from assets.prices.index import DAYS_PER_YEAR, GROUP, under
from economics.prices.index import fall_per_year, log_linear_slope
from schemas.prices import compression as contract
from schemas.quarantine import Parsed
from sources.prices.price_trends import parse_figures, parse_points
from sources.source import Snapshot
from warehouse.history import holding_on
from warehouse.table import table

DAYS_PER_MONTH = DAYS_PER_YEAR / 12.0
HEADLINE = {"kind": "fixed_quality", "scale": "eci", "model": "gpt-4"}
"""Our longest series; it stands beside published slopes of no one quality, or of one that our history does not reach."""
PUBLISHED_SPLIT = ("stanford_280", "inference_stack_model")
"""The published fall that a document splits, and the factor it states."""
RENT_TERMS = ("on_demand", "stated")
"""Terms of a price list. Estimated cost of an owner, spot and commitments are other things."""
DESIGNS = ("unchunked_usd_per_mtok", "chunked_usd_per_mtok", "disaggregated_usd_per_mtok")
SETTING = "measured"
SPREAD = (0.05, 0.95)
"""Of the workloads, contracts and models of the serving grid: the range given with the hardware factor."""

price_trends = source_asset("price_trends", accept=parse_figures, group=GROUP)
price_trend_points = source_asset("price_trend_points", accept=parse_points, group=GROUP)


class Factor(NamedTuple):
    """Times cheaper per year by one factor, with its range and what it rests on."""

    per_year: float
    low: float
    high: float
    n: int
    evidence: str


@table(schema=contract.PriceTrendFigure, group=GROUP)
def price_trend_figure(price_trends: list[Snapshot]) -> Parsed:
    """Published falls of prices and their factors, transcribed."""
    return parse_all(price_trends, parse_figures, contract.PriceTrendFigure)


@table(schema=contract.PriceTrendPoint, group=GROUP)
def price_trend_point(price_trend_points: list[Snapshot]) -> Parsed:
    """The points of Epoch's trends."""
    return parse_all(price_trend_points, parse_points, contract.PriceTrendPoint)


@table(schema=contract.PublishedPriceTrend, group=GROUP)
def published_price_trend(
    price_trend_figure: pl.DataFrame, price_trend_point: pl.DataFrame, price_slope: pl.DataFrame
) -> pl.DataFrame:
    """Every published fall of the price of a quality, recomputed, with our slope beside it."""
    published = price_trend_figure.filter(pl.col("measures") == "price_of_a_quality")
    refits = pl.DataFrame([refit(part) for _, part in price_trend_point.group_by("trend", maintain_order=True)])
    recomputed = by_text_and_dates(published).join(refits, on="trend", how="left")
    slope = ["factor_per_year", "by_dates_per_year", "by_text_per_year"]
    least, most = (pl.coalesce(*slope, f"factor_per_year_{end}") for end in ("low", "high"))
    beside = with_ours(recomputed, price_slope).with_columns(
        within_ours=(least <= pl.col("our_high")) & (most >= pl.col("our_low")),
        refit_shows_a_fall=pl.col("refit_low") > 1.0,
    )
    names = {f"factor_per_year{end}": f"stated{end or '_factor_per_year'}" for end in ("", "_low", "_high")}
    return under(contract.PublishedPriceTrend, beside.rename(names | {"confidence": "stated_confidence"})).sort("trend")


@table(schema=contract.PriceCompression, group=GROUP)
def price_compression(
    price_slope: pl.DataFrame,
    price_trend_figure: pl.DataFrame,
    gpu_rent: pl.DataFrame,
    break_even_surface: pl.LazyFrame,
    routing_premium: pl.DataFrame,
    published_common_frame: pl.DataFrame,
    now: datetime,
) -> pl.DataFrame:
    """Every quality on Epoch's index at cpm, and the published fall that a document splits."""
    hardware = hardware_factor(break_even_surface, gpu_rent, now.date())
    same_model = matched_factor(price_slope)
    others = [*bounds(price_trend_figure, routing_premium), runtime(published_common_frame)]
    rows = [
        {**row, **{"series": slope["series"], "first_on": slope["first_on"], "last_on": slope["last_on"]}}
        for slope in price_slope.filter(
            pl.col("kind") == "fixed_quality", pl.col("scale") == "eci", pl.col("input_per_output") == 1.0
        ).iter_rows(named=True)
        for row in [*factors(slope, same_model, hardware), *others]
    ]
    return under(
        contract.PriceCompression,
        pl.DataFrame([*rows, *published_split(price_trend_figure, hardware)], infer_schema_length=None),
    )


def refit(points: pl.DataFrame) -> dict[str, Any]:
    """Slope and 95 % interval of the line through the points of one trend. `points`: its rows of `PriceTrendPoint`."""
    slope = log_linear_slope(years=points["on"].dt.epoch("d").to_numpy() / DAYS_PER_YEAR, usd=points["usd"].to_numpy())
    return {
        "trend": points["trend"][0],
        "refit_n": slope.n,
        "refit_per_year": slope.factor_per_year,
        "refit_low": slope.low,
        "refit_high": slope.high,
    }


def by_text_and_dates(figures: pl.DataFrame) -> pl.DataFrame:
    """The fall per year over the time a text gives and between its own dates. `figures`: contract `PriceTrendFigure`."""
    prices = pl.col("start_usd") / pl.col("end_usd")
    months = (pl.col("end_date") - pl.col("start_date")).dt.total_days() / DAYS_PER_MONTH
    spans = figures.with_columns(
        fall_of_prices=prices,
        fall=pl.coalesce("fall", prices),
        dated_months=months,
        slack=pl.when(pl.col("date_precision") == "month").then(1.0).otherwise(0.0),
    )

    def yearly(span: pl.Expr) -> pl.Series:
        known = spans.select(fall="fall", months=span)
        return nullable(where_known(fall_per_year, fall=floats(known, "fall"), months=floats(known, "months")))

    return spans.with_columns(
        by_text_per_year=yearly(pl.col("text_months")),
        by_dates_per_year=yearly(pl.col("dated_months")),
        by_dates_low=yearly(pl.col("dated_months") + pl.col("slack")),
        by_dates_high=yearly(pl.col("dated_months") - pl.col("slack")),
    )


def with_ours(published: pl.DataFrame, slopes: pl.DataFrame) -> pl.DataFrame:
    """Our slope of the same quality and blend, else of `HEADLINE`. `slopes`: contract `PriceSlope`."""
    ours = slopes.filter(pl.col("kind") == "fixed_quality").select(
        "scale",
        "threshold",
        "model",
        "input_per_output",
        our_series="series",
        our_n="n",
        our_per_year="factor_per_year",
        our_low="factor_per_year_low",
        our_high="factor_per_year_high",
    )
    keys = ["scale", "threshold", "model", "input_per_output"]
    same = ours.with_columns(our_basis=pl.lit("same_quality"))
    headline = (
        slopes.filter(pl.col(name) == value for name, value in HEADLINE.items())
        .filter(pl.col("input_per_output") == 1.0)
        .select("unit", pl.col("series").alias("our_series"))
        .join(ours.drop(keys), on="our_series")
        .with_columns(our_basis=pl.lit("headline"))
    )
    cpm = pl.col("input_per_output").fill_null(1.0)
    joined = published.with_columns(input_per_output=cpm).join(same, on=keys, how="left")
    filled = joined.join(headline, on="unit", how="left", suffix="_of_headline")
    return filled.with_columns(pl.coalesce(name, f"{name}_of_headline") for name in headline.columns if name != "unit")


def hardware_factor(surface: pl.LazyFrame, rents: pl.DataFrame, today: date) -> Factor | None:
    """Fall of the serving cost per year by hardware alone: the cheapest GPU then against the cheapest now, cell by cell.

    `surface`: contract `BreakEvenSurface`; `rents`: contract `GpuRent`. Every cell of the grid keeps its model, workload,
    contract and GPU-hours per token; only GPUs and their list prices move. A cell that no GPU of a day can serve is left out.
    None where there are no list prices two years apart.
    """
    served = surface.select(pl.col("gpu").unique()).collect()["gpu"]
    listed = rents.filter(
        pl.col("gpu").is_in(served.implode()),
        pl.col("term").is_in(RENT_TERMS),
        pl.col("statistic") == "price",
    )
    start = listed["valid_from"].min()
    if not isinstance(start, date) or (today - start).days < 2 * DAYS_PER_YEAR:
        return None
    cell = ["model", "input_per_output", "arrival_rate_per_s", "kv_bytes_per_s_per_gpu", "tpot_s", "ttft_s"]
    hours_per_mtok = pl.min_horizontal(DESIGNS) / pl.col("gpu_usd_per_hour")
    work = surface.filter(pl.col("setting") == SETTING).select(*cell, "gpu", hours_per_mtok=hours_per_mtok).collect()

    def cheapest(day: date) -> pl.DataFrame:
        prices = list_prices(listed, day)
        return work.join(prices, on="gpu").group_by(cell).agg(usd=(pl.col("hours_per_mtok") * pl.col("usd_per_gpu_hour")).min())

    both = cheapest(start).join(cheapest(today), on=cell, suffix="_now").drop_nulls()
    fall = both.select(fall_per_year=(pl.col("usd") / pl.col("usd_now")).pow(DAYS_PER_YEAR / (today - start).days))
    middle, low, high = (fall["fall_per_year"].quantile(at, "linear") for at in (0.5, *SPREAD))
    if middle is None or low is None or high is None:
        return None
    then, now = (list_prices(listed, day)["gpu"].to_list() for day in (start, today))
    evidence = (
        f"cheapest GPU at list price on {start} ({', '.join(then)}) against {today} ({', '.join(now)}) in {both.height} cells "
        f"of the serving grid, {middle:.2f} times a year; the range is over cells; the sellers of the two days are not the same"
    )
    return Factor(middle, low, high, len(then) + len(now), evidence)


def list_prices(listed: pl.DataFrame, day: date) -> pl.DataFrame:
    """List price of each GPU on a day: median over sellers of each seller's median offer, on demand where offered."""
    sellers = holding_on(listed, day).group_by("gpu", "term", "provider").agg(pl.col("usd_per_gpu_hour").median())
    return (
        sellers.group_by("gpu", "term")
        .agg(pl.col("usd_per_gpu_hour").median())
        .sort("gpu", pl.col("term") != RENT_TERMS[0])
        .unique("gpu", keep="first", maintain_order=True)
    )


def matched_factor(slopes: pl.DataFrame) -> Factor | None:
    """Fall per year of what competing hosts charge for the same open model: the stack and the hosts' margin."""
    hosts = slopes.filter(pl.col("kind") == "matched_host", pl.col("input_per_output") == 1.0)
    makers = slopes.filter(pl.col("kind") == "matched_model", pl.col("input_per_output") == 1.0)
    if hosts.is_empty() or hosts["factor_per_year_low"].null_count():
        return None
    host = hosts.row(0, named=True)
    evidence = f"hosts charge {host['factor_per_year']:.2f} times less a year for the same open model ({host['n']} months)"
    if not makers.is_empty():
        evidence += f"; developers {makers['factor_per_year'][0]:.2f} times less for their own"
    low, high = host["factor_per_year_low"], host["factor_per_year_high"]
    return Factor(host["factor_per_year"], low, high, host["n"], evidence)


def factors(slope: dict[str, Any], same_model: Factor | None, hardware: Factor | None) -> Iterator[dict[str, Any]]:
    """Total, model, stack, hardware and what is left, of one price of a quality (a row of `PriceSlope`)."""
    years = (slope["last_on"] - slope["first_on"]).days / DAYS_PER_YEAR
    total = slope["fall"]
    yield _row("total", "identified", total, n=slope["n"], evidence="first over last price of the quality")
    if same_model is None:
        for factor in ("model", "stack"):
            yield _row(factor, "unidentified", evidence="no price of the same model at competing hosts on enough dates")
    else:
        stack, least, most = (rate**years for rate in same_model[:3])
        says = (
            f"the fall that is left when {same_model.evidence}; what a better stack gave to new models only is in here, so the "
            "factor of the models alone is at most this"
        )
        yield _row("model", "remainder", total / stack, total / most, total / least, same_model.n, says)
        yield _row("stack", "identified", stack, least, most, same_model.n, f"{same_model.evidence}, over this span")
    if hardware is None:
        yield _row("hardware", "unidentified", evidence="no list prices of GPUs two years apart")
        yield _row("unidentified", "unidentified", evidence="nothing to divide the stack by")
        return
    gain, least_gain, most_gain = (rate**years for rate in hardware[:3])
    yield _row("hardware", "identified", gain, least_gain, most_gain, hardware.n, f"{hardware.evidence}; over this span")
    if same_model is None:
        yield _row("unidentified", "unidentified", evidence="the stack is not known")
    else:
        left = "stack over hardware: quantisation, runtime, decoding and margins together, which prices cannot tell apart"
        yield _row("unidentified", "remainder", stack / gain, least / most_gain, most / least_gain, evidence=left)


def bounds(figures: pl.DataFrame, premiums: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Quantisation and decoding: between what their published anchors lie. No price tells when or whether they were used."""
    awq = figures.filter(pl.col("measures") == "quantisation_speedup")["fall"].to_numpy()
    evidence = (
        f"AWQ decodes {awq.min():.2f} to {awq.max():.2f} times as fast as FP16 one sequence at a time, and no faster where "
        "decode is bound by compute; no price says where it is used"
    )
    yield _row("quantisation", "bounded", low=1.0, high=awq.max(), n=len(awq), evidence=evidence)
    drafted = premiums.filter(pl.col("pattern") == "speculative_decoding").drop_nulls("premium")["premium"].to_numpy()
    times = 1.0 / (1.0 - drafted)
    evidence = (
        f"published speculative decoding in {len(times)} figures, from a slow-down under load to the best case; no price says "
        "where it is used"
    )
    yield _row("decoding", "bounded", low=times.min(), high=times.max(), n=len(times), evidence=evidence)


def runtime(frame: pl.DataFrame) -> dict[str, Any]:
    """Runtimes: gains over each one's own baseline exist and do not chain, so nothing bounds the factor."""
    gains = frame.drop_nulls("ratio_to_baseline")["ratio_to_baseline"]
    return _row(
        "runtime",
        "unidentified",
        n=len(gains) or None,
        evidence=f"{len(gains)} published gains, each over its own baseline and load, do not multiply to one factor",
    )


def published_split(figures: pl.DataFrame, hardware: Factor | None) -> Iterator[dict[str, Any]]:
    """The published fall as its document splits it: 280 = 93 x 3, and what of the 93 our hardware factor accounts for."""
    fall, model = (figures.row(by_predicate=pl.col("trend") == name, named=True) for name in PUBLISHED_SPLIT)
    years = (fall["end_date"] - fall["start_date"]).days / DAYS_PER_YEAR
    of_series = {"series": fall["trend"], "first_on": fall["start_date"], "last_on": fall["end_date"]}
    stack = fall["fall"] / model["fall"]
    yield of_series | _row("total", "stated", fall["fall"], evidence=fall["statement"])
    yield of_series | _row("model", "stated", model["fall"], evidence=f"{model['statement']}; the document shows no evidence")
    says = "the total over the model factor: quantisation, runtime, decoding and hardware together"
    yield of_series | _row("stack", "remainder", stack, evidence=says)
    if hardware is not None:
        gain, least, most = (rate**years for rate in hardware[:3])
        yield of_series | _row("hardware", "identified", gain, least, most, hardware.n, f"{hardware.evidence}; over this span")
        left = "stack over hardware: quantisation, runtime, decoding and margins; the document does not say how much each"
        yield of_series | _row("unidentified", "remainder", stack / gain, stack / most, stack / least, evidence=left)


def _row(
    factor: str,
    status: str,
    value: float | None = None,
    low: Any = None,
    high: Any = None,
    n: int | None = None,
    evidence: str = "",
) -> dict[str, Any]:
    return {"factor": factor, "evidence_status": status, "value": value, "low": low, "high": high, "n": n, "evidence": evidence}

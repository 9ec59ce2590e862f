"""Published figures: as printed, GPUs and model shapes, and every operating point in one priced frame."""

from datetime import date, datetime

import numpy as np
import polars as pl

from assets.documents import parse_all, source_asset
from economics.evidence.rederivations import (
    BYTES_PER_VALUE,
    guaranteed_attainment,
    latent_kv_bytes_per_token,
    rent_usd_per_mtok,
)
from economics.numeric.statistics import wilson_interval
from economics.serving.step_time import kv_bytes_per_token
from schemas.base import Table, polars_schema
from schemas.evidence import published as contract
from schemas.quarantine import Parsed
from schemas.status import BELIEVED, STATUSES
from sources.evidence.published_figures import parse_figures
from sources.source import Snapshot
from warehouse.history import holding_on
from warehouse.table import table

GROUP = "published"
SPECIFICATIONS = "specification tables"
"""Version by which a document says that its figures are those of GPUs and other accelerators."""
CONFIGURATIONS = "model configurations"
FIELD = r": [^:]*$"
"""What stands after the file in a place: the field a figure was read from."""
PRICE_TERMS = ("on_demand", "stated", "reserved_3y_or_retail")
"""Terms a GPU is priced at, the first that has an offer. An owner's estimated cost is no price and is never used."""

RATES = (
    "goodput_requests_per_s_per_gpu",
    "sustained_requests_per_s",
    "output_tokens_per_s_per_gpu",
    "e2e_s",
)
STATED_RATIOS = ("throughput_ratio", "capacity_ratio", "capacity_gain_percent")
ATTAINMENTS = ("slo_attainment_percent",)
POINT = ["paper", "version", "metric", "model", "workload", "condition", "ttft_s", "tpot_s"]
"""What a system and its baseline have in common."""

published_documents = source_asset("published_documents", accept=parse_figures, group=GROUP)


@table(schema=contract.PublishedFigure, group=GROUP)
def published_figure(published_documents: list[Snapshot]) -> Parsed:
    """Every transcribed figure with its place and status."""
    return parse_all(published_documents, parse_figures, contract.PublishedFigure)


@table(schema=contract.CitedFigure, group=GROUP)
def cited_figure(published_figure: pl.DataFrame) -> pl.DataFrame:
    """All but what is only recalled."""
    return cited(published_figure)


@table(schema=contract.Gpu, group=GROUP)
def gpu(cited_figure: pl.DataFrame) -> pl.DataFrame:
    """One chosen claim per GPU and column; the others in words."""
    return gpus_of(cited_figure)


@table(schema=contract.PublishedCommonFrame, group=GROUP)
def published_common_frame(cited_figure: pl.DataFrame, gpu_rent: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Operating points, priced today."""
    return common_frame(cited_figure, gpu_rent, now.date())


def cited(figures: pl.DataFrame) -> pl.DataFrame:
    """Figures (contract `PublishedFigure`) without what is recalled (contract `CitedFigure`)."""
    return figures.filter(pl.col("status").is_in(BELIEVED))


def gpus_of(figures: pl.DataFrame) -> pl.DataFrame:
    """Peaks, memory and links of each GPU. `figures`: contract `CitedFigure`. Returns contract `Gpu`."""
    columns = [name for name in polars_schema(contract.Gpu) if name not in ("gpu", "status", "locator", "disagreements")]
    documents = figures.filter(pl.col("version") == SPECIFICATIONS)["paper"].unique()
    claims = figures.filter(pl.col("paper").is_in(documents.implode()), pl.col("metric").is_in(columns))
    worst_first = pl.when(pl.col("metric") == "tdp_w").then(-pl.col("value")).otherwise("value")
    chosen = _chosen(claims, by="gpu", preferred=SPECIFICATIONS, order=worst_first, columns=columns)
    typed = [pl.col(name).cast(dtype) for name, dtype in polars_schema(contract.Gpu).items()]
    return chosen.drop_nulls(required(contract.Gpu)).select(typed).sort("gpu")


def shapes_of(figures: pl.DataFrame) -> pl.DataFrame:
    """Shape of each model. `figures`: contract `CitedFigure`. Returns contract `ModelShape`."""
    claims = figures.filter(pl.col("paper") == "model_shape").with_columns(
        pl.col("metric").replace({"kv_bytes_per_token": "stated_kv_bytes_per_token"})
    )
    columns = claims["metric"].unique().sort().to_list()
    every = _chosen(claims, by="model", preferred=CONFIGURATIONS, order=pl.col("value"), columns=columns)
    stated = [name for name in required(contract.ModelShape) if name in every.columns]
    whole = pl.col("kv_heads").is_not_null() | pl.all_horizontal(pl.col("mla_latent_dim", "mla_rope_dim").is_not_null())
    chosen = every.drop_nulls(stated).filter(whole)
    complete = chosen.with_columns(kv_bytes_per_token=_kv_bytes(chosen)).join(_notes(claims), on="model", how="left")
    kinds = polars_schema(contract.ModelShape)
    absent = [pl.lit(None, kind).alias(name) for name, kind in kinds.items() if name not in complete.columns]
    return complete.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in kinds.items()).sort("model")


def common_frame(figures: pl.DataFrame, rents: pl.DataFrame, day: date) -> pl.DataFrame:
    """Every operating point at the rents of a day.

    `figures`: contract `CitedFigure`; `rents`: contract `GpuRent`. Returns contract `PublishedCommonFrame`.
    """
    points = figures.filter(pl.col("metric").is_in([*RATES, *STATED_RATIOS, *ATTAINMENTS]))
    rated = with_attainment(with_rates(points, figures))
    priced = rated.join(gpu_prices(rents, day), on="gpu", how="left")
    dollars = with_ratio(with_dollars(priced)).with_columns(comparable_with=_frame_key(), as_of=pl.lit(day))
    return dollars.select(list(polars_schema(contract.PublishedCommonFrame))).sort("paper", "figure")


def gpu_prices(gpu_rent: pl.DataFrame, day: date) -> pl.DataFrame:
    """One rent per GPU: the first of `PRICE_TERMS` on offer that day, median over sellers of each seller's median offer.

    `gpu_rent`: contract `GpuRent`. Returns gpu, gpu_usd_per_hour, gpu_price_term, _on, _sellers and _sources.
    """
    offers = last_known(gpu_rent, day).filter(
        pl.col("gpu").is_not_null(), pl.col("statistic") == "price", pl.col("term").is_in(PRICE_TERMS)
    )
    sellers = offers.group_by("gpu", "term", "provider").agg(
        pl.col("usd_per_gpu_hour").median(), pl.col("valid_from").max(), pl.col("source").unique()
    )
    rank = pl.col("gpu_price_term").replace_strict({term: i for i, term in enumerate(PRICE_TERMS)})
    return (
        sellers.group_by("gpu", gpu_price_term="term")
        .agg(
            gpu_usd_per_hour=pl.col("usd_per_gpu_hour").median(),
            gpu_price_on=pl.col("valid_from").max(),
            gpu_price_sellers=pl.len().cast(pl.Int64),
            gpu_price_sources=pl.col("source").explode().unique().sort().str.join(", "),
        )
        .sort("gpu", rank)
        .unique("gpu", keep="first", maintain_order=True)
    )


def last_known(gpu_rent: pl.DataFrame, day: date) -> pl.DataFrame:
    """Rents that hold on a day, and prices that documents stated for earlier days: `valid_from` says how old each one is.

    A document's price is known for its day alone. It is used where nobody offers the GPU today. `gpu_rent`: contract `GpuRent`.
    """
    stated_before = (pl.col("term") == "stated") & (pl.col("valid_to") <= day)
    return holding_on(gpu_rent.with_columns(pl.when(~stated_before).then("valid_to").alias("valid_to")), day)


def with_rates(points: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """Requests and output tokens per second and GPU of each point; NULL where the document gives no absolute rate.

    A point that counts requests gets the output tokens its own document states for the workload: the mean, else the median.
    """
    lengths = figures.filter(pl.col("metric").is_in(["mean_output_tokens", "median_output_tokens"])).select(
        "paper",
        "version",
        "workload",
        output_tokens_per_request="value",
        output_tokens_basis=pl.col("metric").str.extract("^([a-z]+)_"),
    )
    one = lengths.sort("output_tokens_basis").unique(["paper", "version", "workload"], keep="first")
    requests = (
        pl.when(pl.col("metric") == "goodput_requests_per_s_per_gpu")
        .then("value")
        .when(pl.col("metric") == "sustained_requests_per_s")
        .then(pl.col("value") / pl.col("gpu_count"))
        .when(pl.col("metric") == "e2e_s")
        .then(1.0 / (pl.col("value") * pl.col("gpu_count")))
    )
    counted = points.with_columns(requests_per_s_per_gpu=requests).join(one, on=["paper", "version", "workload"], how="left")
    by_request = pl.col("requests_per_s_per_gpu").is_not_null()
    tokens = pl.when(pl.col("metric") == "output_tokens_per_s_per_gpu").then("value")
    return counted.with_columns(
        pl.when(by_request).then(name) for name in ("output_tokens_per_request", "output_tokens_basis")
    ).with_columns(
        output_tokens_per_s_per_gpu=tokens.otherwise(pl.col("requests_per_s_per_gpu") * pl.col("output_tokens_per_request"))
    )


def with_attainment(points: pl.DataFrame) -> pl.DataFrame:
    """Share of requests within the contract, and its Wilson interval where the sample is known."""
    measured = pl.when(pl.col("metric").is_in(ATTAINMENTS)).then(pl.col("value") / 100.0)
    stated = pl.coalesce("attainment", measured)
    bounds = pl.col("ttft_s").is_not_null().cast(pl.Int64) + pl.col("tpot_s").is_not_null().cast(pl.Int64)
    promised = points["percentile"].cast(pl.Float64).to_numpy() / 100.0
    n_bounds = points.select(bounds.cast(pl.Float64)).to_series().to_numpy()
    known = np.isfinite(promised) & (n_bounds > 0)
    least = np.full(points.height, np.nan)
    least[known] = guaranteed_attainment(percentile=promised[known], bounds=n_bounds[known])
    implied = pl.when(pl.col("metric").is_in(RATES)).then(pl.Series(least).fill_nan(None))
    shares = points.with_columns(
        attainment=pl.coalesce(stated, implied),
        attainment_basis=pl.when(stated.is_not_null())
        .then(pl.lit("stated"))
        .when(implied.is_not_null())
        .then(pl.lit("guaranteed")),
    )
    sampled = shares["n"].is_not_null().to_numpy() & (shares["attainment_basis"] == "stated").fill_null(False).to_numpy()
    share, n = shares["attainment"].to_numpy()[sampled], shares["n"].to_numpy()[sampled].astype(np.float64)
    ends = np.full((2, shares.height), np.nan)
    ends[:, sampled] = wilson_interval(successes=share * n, trials=n)
    return shares.with_columns(
        attainment_low=pl.Series(ends[0]).fill_nan(None), attainment_high=pl.Series(ends[1]).fill_nan(None)
    )


def with_dollars(points: pl.DataFrame) -> pl.DataFrame:
    """Rent per million output tokens, all and within the contract; NULL where a rate or a rent is missing."""
    rate = points["output_tokens_per_s_per_gpu"].cast(pl.Float64).to_numpy()
    rent = points["gpu_usd_per_hour"].cast(pl.Float64).to_numpy()
    known = np.isfinite(rate) & np.isfinite(rent)
    usd = np.full(points.height, np.nan)
    usd[known] = rent_usd_per_mtok(usd_per_hour=rent[known], tokens_per_s=rate[known])
    priced = points.with_columns(usd_per_mtok_output=pl.Series(usd).fill_nan(None))
    return priced.with_columns(usd_per_mtok_slo_output=pl.col("usd_per_mtok_output") / pl.col("attainment"))


def with_ratio(points: pl.DataFrame) -> pl.DataFrame:
    """Throughput over that of the best named baseline under the same conditions; else the ratio the document states."""
    rate = pl.coalesce("requests_per_s_per_gpu", "output_tokens_per_s_per_gpu")
    others = points.filter(rate.is_not_null()).select(*POINT, best="system", base_rate=rate)
    named = points.filter(pl.col("baseline").is_not_null(), rate.is_not_null()).select(
        *POINT, "figure", best=pl.col("baseline").str.split(";")
    )
    best = (
        named.explode("best", empty_as_null=True)
        .join(others, on=[*POINT, "best"], nulls_equal=True)
        .sort("base_rate", descending=True)
        .unique(["paper", "figure"], keep="first", maintain_order=True)
        .select("paper", "figure", "best", "base_rate")
    )
    gain = pl.col("metric") == "capacity_gain_percent"
    stated = pl.when(gain).then(1.0 + pl.col("value") / 100.0).when(pl.col("metric").is_in(STATED_RATIOS)).then("value")
    computed = rate / pl.col("base_rate")
    return points.join(best, on=["paper", "figure"], how="left").with_columns(
        baseline=pl.coalesce("best", "baseline"),
        ratio_to_baseline=pl.coalesce(computed, stated),
        ratio_basis=pl.when(computed.is_not_null()).then(pl.lit("computed")).when(stated.is_not_null()).then(pl.lit("stated")),
    )


def required(schema: type[Table]) -> list[str]:
    """Columns of a contract that may not be NULL."""
    return [name for name, column in schema.to_schema().columns.items() if not column.nullable]


def _frame_key() -> pl.Expr:
    """Model, workload, contract, percentile, TPOT definition, how lengths are averaged, and the term of the rent."""
    parts = [
        pl.coalesce(pl.col(name).cast(pl.String), pl.lit("?")).alias(name)
        for name in ("model", "workload", "ttft_s", "tpot_s", "percentile", "tpot_definition")
    ]
    return pl.format(
        "{} | {} | ttft {} s | tpot {} s | p{} | {} | {} | {}",
        *parts,
        pl.coalesce("output_tokens_basis", pl.lit("measured")),
        pl.coalesce("gpu_price_term", pl.lit("no rent")),
    )


def _kv_bytes(shapes: pl.DataFrame) -> pl.Series:
    """KV bytes of one token of each model."""
    layers, heads, head_dim, latent, rope = (
        shapes[name].cast(pl.Float64).to_numpy()
        for name in ("layers", "kv_heads", "head_dim", "mla_latent_dim", "mla_rope_dim")
    )
    is_latent = ~np.isnan(latent)
    kv_bytes = np.empty(shapes.height)
    kv_bytes[~is_latent] = kv_bytes_per_token(
        layers=layers[~is_latent],
        kv_heads=heads[~is_latent],
        head_dim=head_dim[~is_latent],
        bytes_per_value=BYTES_PER_VALUE,
    )
    kv_bytes[is_latent] = latent_kv_bytes_per_token(
        layers=layers[is_latent], latent_dim=latent[is_latent], rope_dim=rope[is_latent]
    )
    return pl.Series(kv_bytes)


def _notes(claims: pl.DataFrame) -> pl.DataFrame:
    """What is to know of each model, in words; NULL where nothing is."""
    return (
        claims.filter(pl.col("version") == CONFIGURATIONS)
        .group_by("model")
        .agg(note=pl.col("note").drop_nulls().unique(maintain_order=True).str.join("; "))
        .with_columns(note=pl.when(pl.col("note") != "").then("note"))
    )


def _chosen(claims: pl.DataFrame, *, by: str, preferred: str, order: pl.Expr, columns: list[str]) -> pl.DataFrame:
    """One claim per subject and metric, as columns, with the weakest status, the places, and the other claims in words.

    Only claims of the version `preferred` are chosen, the first in `order`; all others are disagreements.
    """
    ranked = claims.sort(by, "metric", pl.col("version") != preferred, order)
    first = ranked.filter(pl.col("version") == preferred).unique([by, "metric"], keep="first", maintain_order=True)
    rest = ranked.join(first.select("paper", "figure"), on=["paper", "figure"], how="anti")
    words = rest.group_by(by, maintain_order=True).agg(
        disagreements=pl.format("{}: {} ({}, {})", "metric", "value", "locator", "status").str.join("; ")
    )
    weakest = pl.col("status").replace_strict({status: i for i, status in enumerate(STATUSES)}).max()
    facts = first.group_by(by).agg(
        status=weakest.replace_strict(dict(enumerate(STATUSES)), return_dtype=pl.String),
        locator=pl.col("locator").str.replace(FIELD, "").unique(maintain_order=True).str.join("; "),
    )
    wide = first.pivot("metric", index=by, values="value")
    absent = [pl.lit(None, pl.Float64).alias(name) for name in columns if name not in wide.columns]
    return wide.with_columns(absent).join(facts, on=by).join(words, on=by, how="left")

"""The serving frontier: published, measured and predicted operating points in one frame each, and its history."""

from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.serving.frontier_headline import with_headline
from assets.serving.measured_surface import measured
from assets.serving.pairs import GPUS
from assets.serving.predictions import STANDARD, predictions
from economics.evidence.rederivations import guaranteed_attainment
from economics.numeric.draws import Uniform, draw, quantiles_by_row, split_lognormal
from economics.numeric.pareto import frontier_probability, non_dominated
from economics.numeric.statistics import wilson_interval
from economics.units import TOKENS_PER_MTOK
from schemas.base import polars_schema
from schemas.serving import frontier as contract
from schemas.serving.benchmark_outputs import EVIDENCE
from warehouse.table import table

GROUP = "serving"

AXES = ["usd_per_mtok", "ttft_s", "tpot_s"]
FRAME = ["model", "workload", "percentile", "tpot_definition", "arrival", "gpu_price_term"]
ARRIVALS = {"distserve": "open_loop", "mlperf_v5_1": "open_loop"}
"""Documents that say how requests arrive: Poisson in both (DistServe, section 6.1; LoadGen's Server and Interactive)."""
SCENARIO = r" (Server|Interactive|Offline)$"
"""What MLPerf adds to the name of a data set: a contract, which is an axis here and no part of the frame."""
DRAWS, SEED = 400, 2026
BAND = (0.05, 0.95)
CHANGES = [
    "ttft_s",
    "tpot_s",
    "gpu_usd_per_hour",
    "usd_per_mtok",
    "on_frontier",
    "frontier_probability",
    "on_evidence_frontier",
]


@table(schema=contract.ServingFrontier, group=GROUP)
def serving_frontier(
    published_common_frame: pl.DataFrame,
    cited_figure: pl.DataFrame,
    operating_point: pl.DataFrame,
    gpu: pl.DataFrame,
    model_shape: pl.DataFrame,
    model_layer: pl.DataFrame,
    engine_run: pl.DataFrame,
    prediction_interval: pl.DataFrame,
    gpu_price: pl.DataFrame,
    now: datetime,
) -> pl.DataFrame:
    """Points of all three kinds, priced alike, with their place in their frame."""
    evidence = pl.concat([of_documents(published_common_frame, cited_figure), of_runs(operating_point)], how="diagonal")
    questions = pl.concat([questions_of(priced(evidence, gpu_price)), STANDARD])
    predicted = predictions(
        questions,
        gpu.filter(pl.col("gpu").is_in(GPUS)),
        shapes=model_shape,
        prices=gpu_price,
        known=measured(model_shape=model_shape, model_layer=model_layer, gpu=gpu, engine_run=engine_run),
        runs=engine_run,
        intervals=prediction_interval,
    )
    points = priced(pl.concat([evidence, predicted], how="diagonal"), gpu_price)
    placed = with_frontier(points.with_columns(as_of=pl.lit(now.date()), refreshed_at=pl.lit(now)))
    return with_headline(placed).select(list(polars_schema(contract.ServingFrontier)))


@table(schema=contract.ServingFrontierHistory, group=GROUP)
def serving_frontier_history(serving_frontier: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """The history so far and what changed since."""
    return appended(previous, serving_frontier)


def of_documents(points: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """Published points with a rate and both bounds. `points`: contract `PublishedCommonFrame`; `figures`: `CitedFigure`.

    A rate that is a range, a reading or a median over submissions spreads the GPU-hours; so does the Wilson interval.
    """
    lengths = (
        figures.filter(pl.col("metric").is_in(["mean_input_tokens", "mean_output_tokens"]))
        .pivot("metric", index=["paper", "version", "workload"], values="value", aggregate_function="first")
        .rename({"mean_input_tokens": "input_tokens", "mean_output_tokens": "output_tokens"})
    )
    rate, share = pl.col("output_tokens_per_s_per_gpu"), pl.col("attainment")
    known = points.filter(
        rate.is_not_null(),
        share.is_not_null(),
        pl.all_horizontal(pl.col("ttft_s", "tpot_s", "percentile").is_not_null()),
        pl.col("model").is_not_null(),
    ).join(lengths, on=["paper", "version", "workload"], how="left")
    fastest = rate * pl.coalesce(pl.col("high") / pl.col("value"), 1.0) * pl.coalesce("attainment_high", share)
    slowest = rate * pl.coalesce(pl.col("low") / pl.col("value"), 1.0) * pl.coalesce("attainment_low", share)
    return (
        known.with_columns(
            point=pl.format("published: {} | {}", "paper", "figure"),
            basis=pl.lit("published"),
            source="paper",
            gpus="gpu_count",
            latency_basis=pl.lit("bound"),
            percentile=pl.col("percentile").cast(pl.Float64),
            workload=pl.format(
                "{} ({})", pl.col("workload").str.replace(SCENARIO, ""), pl.col("paper").str.extract("^(mlperf|[a-z0-9_]+)")
            ),
            arrival=pl.col("paper").replace_strict(ARRIVALS, default=None, return_dtype=pl.String),
            gpu_hours_per_mtok=_hours(rate * share),
            low_gpu_hours_per_mtok=_hours(fastest),
            high_gpu_hours_per_mtok=_hours(slowest),
            range_basis=pl.lit("figures"),
        )
        .with_columns(*_unless_one_value())
        .select(*COMMON, "input_tokens", "output_tokens")
    )


def of_runs(runs: pl.DataFrame) -> pl.DataFrame:
    """Benchmark runs with a rate per GPU and p99 latencies, or the bounds they are audited against. `runs`: `OperatingPoint`.

    A run is as good as its own p99 says: at least 98 % of its requests are within both; how sure that is follows from their
    number, how sure its rate is from runs of the same configuration. One whose lengths are not known is in a frame of its own.
    """
    told = pl.all_horizontal(pl.col("ttft_p99_s", "tpot_p99_s").is_not_null())
    audited = pl.all_horizontal(pl.col("slo_ttft_s", "slo_tpot_s").is_not_null()) & (pl.col("slo_percentile") == 99.0)
    known = runs.filter(
        pl.col("output_tokens_per_s_per_gpu") > 0,
        pl.col("basis").is_in(EVIDENCE),
        told | audited,
        pl.coalesce("model_canonical", "model").is_not_null(),
    )
    share = pl.lit(float(guaranteed_attainment(percentile=0.99, bounds=2.0)))
    rate = pl.col("output_tokens_per_s_per_gpu")
    return (
        with_range_of_requests(known)
        .with_columns(
            point=pl.format("run: {}", "run_id"),
            system=pl.coalesce(pl.concat_str(["engine", "engine_version"], separator=" "), "engine", "system"),
            design="architecture",
            model=pl.coalesce("model_canonical", "model"),
            gpu="gpu_canonical",
            gpus="gpus_total",
            workload=pl.when(pl.col("source") == "mlperf")
            .then(pl.format("{} (mlperf)", pl.col("model").str.replace("_", ".", literal=True)))
            .otherwise(
                pl.coalesce(
                    pl.format("{} in, {} out", length_class("input"), length_class("output")),
                    pl.format("not stated ({})", "run_id"),
                )
            ),
            input_tokens=pl.coalesce("input_tokens_mean", "input_tokens_nominal"),
            output_tokens=pl.coalesce("output_tokens_mean", "output_tokens_nominal"),
            percentile=pl.lit(99.0),
            latency_basis=pl.when(told).then(pl.lit("measured")).otherwise(pl.lit("bound")),
            ttft_s=pl.when(told).then("ttft_p99_s").otherwise("slo_ttft_s"),
            tpot_s=pl.when(told).then("tpot_p99_s").otherwise("slo_tpot_s"),
            attainment=share,
            stated_usd_per_hour="usd_per_gpu_hour",
            gpu_hours_per_mtok=_hours(rate * share),
            low_gpu_hours_per_mtok=_hours(rate.max().over(CONFIGURATION) * pl.col("most_share")),
            high_gpu_hours_per_mtok=_hours(rate.min().over(CONFIGURATION) * pl.col("least_share")),
            range_basis=pl.when(rate.n_unique().over(CONFIGURATION) > 1)
            .then(pl.lit("requests_and_repeats"))
            .otherwise(pl.lit("requests")),
        )
        .with_columns(*_unless_one_value())
        .select(
            *COMMON,
            "input_tokens",
            "output_tokens",
            "design",
            "precision",
            "speculative_decoding",
            "start_burst_bias",
            "measured_on",
            "stated_usd_per_hour",
        )
    )


def length_class(kind: str) -> pl.Expr:
    """Tokens of a prompt or an answer to the nearest half power of two: those asked for, else measured.

    Lengths measured at 920 and 930 were asked for as one length; the view `core.operating_point_frame` has the same classes.
    """
    tokens = pl.coalesce(f"{kind}_tokens_nominal", f"{kind}_tokens_mean")
    nearest = pl.lit(2.0) ** ((2.0 * tokens.log(2.0)).round() / 2.0)
    return pl.when(tokens > 0).then(nearest.round().cast(pl.Int64))


def with_range_of_requests(runs: pl.DataFrame) -> pl.DataFrame:
    """`least_share` and `most_share` of requests within both latencies, if the p99 of each is that of so many requests.

    NULL where the number of requests is not stated, or so small that nothing can be said. Source: Wilson 1927, Bonferroni.
    """
    requests = runs["n_requests"].fill_null(0).to_numpy().astype(np.float64)
    shares = wilson_interval(successes=0.99 * np.maximum(requests, 1.0), trials=np.maximum(requests, 1.0))
    least, most = (guaranteed_attainment(percentile=share, bounds=2.0) for share in shares)
    known = pl.Series((requests > 0) & (np.asarray(least) > 0.0))
    return runs.with_columns(
        pl.when(known).then(pl.Series(name, share)).alias(name)
        for name, share in (("least_share", np.asarray(least)), ("most_share", np.asarray(most)))
    )


def _unless_one_value() -> list[pl.Expr]:
    """A range that is a single value is none."""
    ends = [pl.col(f"{end}_gpu_hours_per_mtok") for end in ("low", "high")]
    spread = ((ends[1] / ends[0] - 1.0) > 1e-9).fill_null(value=False)
    return [
        *(pl.when(spread).then(end) for end in ends),
        pl.when(spread).then("range_basis").otherwise(pl.lit("none")).alias("range_basis"),
    ]


CONFIGURATION = [
    "model",
    "gpu",
    "gpus_total",
    "gpus_prefill",
    "gpus_decode",
    "architecture",
    "engine",
    "engine_version",
    "precision",
    "tp",
    "pp",
    "ep",
    "dp_attention",
    "prefill_tp",
    "prefill_workers",
    "decode_workers",
    "speculative_decoding",
    "system",
    "submitter",
    "input_tokens_nominal",
    "output_tokens_nominal",
    "arrival",
    "request_rate_per_s",
    "concurrency",
]
"""What makes a run the repetition of another one."""

COMMON = [
    "point",
    "basis",
    "source",
    "system",
    "model",
    "gpu",
    "gpus",
    "workload",
    "percentile",
    "tpot_definition",
    "arrival",
    "ttft_s",
    "tpot_s",
    "latency_basis",
    "attainment",
    "gpu_hours_per_mtok",
    "low_gpu_hours_per_mtok",
    "high_gpu_hours_per_mtok",
    "range_basis",
]


def questions_of(evidence: pl.DataFrame) -> pl.DataFrame:
    """What the closed forms can be asked of frames with evidence: open arrivals, known lengths, contracts on their frontier."""
    open_loop = evidence.filter(
        pl.col("arrival") == "open_loop",
        pl.all_horizontal(pl.col("input_tokens", "output_tokens").is_not_null()),
        pl.all_horizontal(pl.col("ttft_s", "tpot_s") > 0),
    )
    best = open_loop.filter(pl.Series(non_dominated(open_loop.select(AXES).to_numpy(), within=open_loop["frame"])))
    frame = ["model", "workload", "percentile", "tpot_definition"]
    lengths = pl.col("input_tokens", "output_tokens").mean().over(frame)
    return best.with_columns(lengths).select(STANDARD.columns).unique(maintain_order=True)


def priced(points: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Cost of each point at the rent of its GPU, or at the user's own. Points that nobody rents out fall away.

    `prices`: contract `GpuPrice`.
    """
    rents = prices.select(
        "gpu",
        gpu_usd_per_hour="usd_per_gpu_hour",
        low_gpu_usd_per_hour="low_usd_per_gpu_hour",
        high_gpu_usd_per_hour="high_usd_per_gpu_hour",
        gpu_price_term="term",
        gpu_price_on="valid_from",
    )
    own = pl.col("stated_usd_per_hour")
    rented = points.join(rents, on="gpu", how="left").with_columns(
        *(pl.coalesce(own, name).alias(name) for name in ("gpu_usd_per_hour", "low_gpu_usd_per_hour", "high_gpu_usd_per_hour")),
        gpu_price_term=pl.when(own.is_not_null()).then(pl.lit("stated")).otherwise("gpu_price_term"),
        gpu_price_on=pl.when(own.is_null()).then("gpu_price_on"),
    )
    key = [pl.coalesce(pl.col(name).cast(pl.String).str.strip_suffix(".0"), pl.lit("?")) for name in FRAME]
    return rented.drop_nulls("gpu_usd_per_hour").with_columns(
        usd_per_mtok=pl.col("gpu_usd_per_hour") * pl.col("gpu_hours_per_mtok"),
        frame=pl.format("{} | {} | p{} | {} | {} | {}", *key),
    )


def with_frontier(points: pl.DataFrame) -> pl.DataFrame:
    """The place of each point in its frame, with and without predictions, and how probable it is over seeded draws.

    The rent of a GPU is one draw for all its points, the rate a draw of each point's own; latencies are taken as known.
    """
    ordered = points.sort("frame", "usd_per_mtok", "point")
    costs = drawn_costs(ordered)
    low, high = quantiles_by_row(costs, BAND)
    everything = np.ones(ordered.height, dtype=np.bool_)
    evidence = (ordered["basis"] != "predicted").to_numpy()
    mixed = ordered.select((pl.col("basis") == "predicted").any().over("frame")).to_series()
    all_places, in_mixed = (_places(ordered, costs, among) for among in (everything, evidence & mixed.to_numpy()))
    # A frame without predictions is the same with and without them.
    evidence_places = [
        pl.select(pl.when(mixed).then(mine).otherwise(every)).to_series()
        for mine, every in zip(in_mixed, all_places, strict=True)
    ]
    return ordered.with_columns(
        low_usd_per_mtok=pl.Series(low),
        high_usd_per_mtok=pl.Series(high),
        points_in_frame=pl.len().over("frame").cast(pl.Int64),
        on_frontier=all_places[0],
        frontier_probability=all_places[1],
        on_evidence_frontier=evidence_places[0],
        evidence_frontier_probability=evidence_places[1],
    )


def drawn_costs(points: pl.DataFrame) -> NDArray[np.float64]:
    """Draws of the cost of each point, (points, draws): rents shared by the points of a GPU, rates independent."""
    own = draw(Uniform(low=np.zeros(points.height), high=np.ones(points.height)), name="rate", seed=SEED, draws=DRAWS)
    of_gpu = {
        gpu: draw(Uniform(low=0.0, high=1.0), name=f"rent {gpu}", seed=SEED, draws=DRAWS)[0] for gpu in points["gpu"].unique()
    }
    shared = np.stack([of_gpu[gpu] for gpu in points["gpu"]])
    return _drawn(points, "gpu_hours_per_mtok", own) * _drawn(points, "gpu_usd_per_hour", shared)


def _drawn(points: pl.DataFrame, name: str, share: NDArray[np.float64]) -> NDArray[np.float64]:
    columns = points.select(pl.coalesce(column, name).alias(column) for column in (f"low_{name}", name, f"high_{name}"))
    low, value, high = (columns[column].to_numpy() for column in (f"low_{name}", name, f"high_{name}"))
    return split_lognormal(share, low=low, value=value, high=high)


def appended(previous: pl.DataFrame, frontier: pl.DataFrame) -> pl.DataFrame:
    """History with the points that are new, changed or gone since their last row.

    `previous`: contract `ServingFrontierHistory`; `frontier`: contract `ServingFrontier` of one refresh.
    """
    columns = list(polars_schema(contract.ServingFrontierHistory))
    today = frontier.with_columns(
        pl.col("usd_per_mtok").round_sig_figs(6), pl.col("frontier_probability").round(2), is_present=pl.lit(True)
    ).select(columns)
    last = previous.sort("refreshed_at").unique(["frame", "point"], keep="last")
    known = last.filter("is_present").select("frame", "point", *CHANGES)
    changed = today.join(known, on=["frame", "point", *CHANGES], how="anti", nulls_equal=True)
    stamp = frontier.select("as_of", "refreshed_at").head(1)
    gone = (
        last.filter("is_present")
        .join(today, on=["frame", "point"], how="anti")
        .drop("as_of", "refreshed_at", "is_present")
        .join(stamp, how="cross")
        .with_columns(is_present=pl.lit(False))
        .select(columns)
    )
    return pl.concat([previous, changed, gone]).sort("refreshed_at", "frame", "point")


def _places(points: pl.DataFrame, costs: NDArray[np.float64], among: NDArray[np.bool_]) -> tuple[pl.Series, pl.Series]:
    """Whether each of the points `among` is on the frontier of its frame, and its probability; NULL for the others."""
    rows, frames = np.flatnonzero(among), points["frame"].to_numpy()[among]
    latencies = points.select("ttft_s", "tpot_s").to_numpy()[among]
    on = non_dominated(points.select(AXES).to_numpy()[among], within=frames)
    drawn = costs[among].T[:, :, None]
    draws = np.concatenate([drawn, np.broadcast_to(latencies, (*drawn.shape[:2], 2))], axis=2)
    chance = frontier_probability(draws, within=frames) if rows.size else np.zeros(0)
    flags, chances = np.full(points.height, None, dtype=object), np.full(points.height, np.nan)
    flags[rows], chances[rows] = on, chance
    return pl.Series(flags.tolist(), dtype=pl.Boolean), pl.Series(chances).fill_nan(None)


def _hours(tokens_per_s: pl.Expr) -> pl.Expr:
    """GPU-hours per million tokens at a rate per GPU."""
    return TOKENS_PER_MTOK / (3600.0 * tokens_per_s)

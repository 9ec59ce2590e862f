"""Contracts of the serving frontier: every priced operating point, which of them nothing beats, and how that changes."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, Timestamp, carried_from, column
from schemas.prices.gpu_rents import TERMS
from schemas.serving.benchmark_outputs import ARRIVAL_MEANING, ARRIVALS, TPOT_DEFINITIONS, TPOT_MEANING

POINT_BASES = ("published", "measured", "peer_reviewed", "simulated", "predicted")
BASIS_MEANING = (
    "published: a document's figure; measured, peer_reviewed, simulated: a benchmark run, see core.operating_point.basis; "
    "predicted: the closed forms on fitted step times"
)
RANGE_BASES = ("figures", "requests", "requests_and_repeats", "predictive", "none")
HEADLINES = ("frame", "beside")
LATENCY_BASES = ("bound", "measured")
DESIGNS = ("colocated", "unchunked", "chunked", "disaggregated")
FRAME_MEANING = (
    "model, workload, percentile, TPOT definition, arrivals and term of the rent; points are compared within one frame alone"
)
POINT_MEANING = (
    "where the point comes from: published: document | figure, run: core.operating_point.run_id, or predicted: its inputs"
)


class ServingFrontier(Table):
    """Operating points in cost, TTFT and TPOT, and which of them no other point of their frame beats in all three.

    Cost is the rent of the GPUs per million output tokens within the point's own latencies. `on_evidence_frontier` leaves
    predictions aside: what measured or published points alone say.
    """

    frame: str = column(FRAME_MEANING)
    point: str = column(POINT_MEANING)
    basis: str = column(BASIS_MEANING, isin=POINT_BASES)
    source: str = column("document, format of the run, or closed_form")
    system: str = column(
        "system that serves, with its version where a run states it",
        nullable=True,
        derived_from=(
            "published_common_frame.system",
            "operating_point.engine",
            "operating_point.engine_version",
            "operating_point.system",
        ),
    )
    measured_on: pl.Date = column(
        "day of the run, where its source states it", nullable=True, derived_from=("operating_point.measured_on",)
    )
    design: str = column("how prefill and decode share GPUs; NULL where not stated", isin=DESIGNS, nullable=True)
    model: str = column(
        "model: the canonical name where it is known, else as written",
        derived_from=(
            "published_common_frame.model",
            "operating_point.model",
            "model_shape.model",
        ),
    )
    precision: str = column("number format of the weights, as written", nullable=True)
    speculative_decoding: str = column("none, mtp, eagle, ...; NULL: not stated", nullable=True)
    gpu: str = column(
        "canonical GPU; NULL where only the user states the rent",
        nullable=True,
        derived_from=(
            "published_common_frame.gpu",
            "operating_point.gpu",
            "gpu.gpu",
        ),
    )
    gpus: pl.Int64 = column("GPUs of the system, of a replica where predicted", unit="GPUs", nullable=True, ge=1)
    workload: str = column("prompts and answers: the data set and its document, or tokens in and out")
    input_tokens: float = column("mean prompt length", unit="tokens", nullable=True, gt=0)
    output_tokens: float = column("mean answer length", unit="tokens", nullable=True, gt=0)
    percentile: float = column("percentile of both latencies", unit="percent", gt=0, le=100)
    tpot_definition: str = column(TPOT_MEANING + "; NULL: not stated", isin=TPOT_DEFINITIONS, nullable=True)
    arrival: str = column(ARRIVAL_MEANING + "; NULL: not stated", isin=ARRIVALS, nullable=True)
    start_burst_bias: bool = column("the TTFT tail holds the opening queue; NULL: not known", nullable=True)
    ttft_s: float = column(
        "time to first token at the percentile",
        unit="s",
        ge=0,
        derived_from=(
            "published_common_frame.ttft_s",
            "operating_point.ttft_p99_s",
        ),
    )
    tpot_s: float = column(
        "time per output token at the percentile",
        unit="s",
        ge=0,
        derived_from=(
            "published_common_frame.tpot_s",
            "operating_point.tpot_p99_s",
        ),
    )
    latency_basis: str = column("bound: at most this, as promised; measured: as it came out", isin=LATENCY_BASES)
    attainment: float = column(
        "share of requests within both latencies",
        gt=0,
        le=1,
        derived_from=(
            "published_common_frame.attainment",
            "operating_point.attainment",
        ),
    )
    gpu_hours_per_mtok: float = column("GPU-hours per million output tokens within both", unit="gpu_hours_per_mtok", gt=0)
    low_gpu_hours_per_mtok: float = column(
        "lower end of their range; NULL where nothing is known of it", unit="gpu_hours_per_mtok", nullable=True, gt=0
    )
    high_gpu_hours_per_mtok: float = column("upper end of it", unit="gpu_hours_per_mtok", nullable=True, gt=0)
    range_basis: str = column(
        "what the range is: figures (reading error, spread of submissions, Wilson interval of the attainment); requests (95 % "
        "Wilson interval of the share within the p99, from the number of requests); requests_and_repeats (and the rates of "
        "runs of the same configuration); predictive (the factor that held 9 in 10 runs of groups "
        "left out of the fit); none: one figure or run without a "
        "number of requests, or with too few",
        isin=RANGE_BASES,
    )
    gpu_usd_per_hour: float = column("rent of one GPU", unit="usd_per_gpu_hour", gt=0)
    low_gpu_usd_per_hour: float = column("rent of the cheapest seller", unit="usd_per_gpu_hour", gt=0)
    high_gpu_usd_per_hour: float = column("rent of the dearest seller", unit="usd_per_gpu_hour", gt=0)
    gpu_price_term: str = column("what that rent buys; stated: the user's own price", isin=TERMS)
    gpu_price_on: pl.Date = column("first day of the newest offer in it; NULL for the user's own price", nullable=True)
    usd_per_mtok: float = column("rent per million output tokens within both latencies", unit="usd_per_mtok", gt=0)
    low_usd_per_mtok: float = column("5th percentile over the draws of rent and rate", unit="usd_per_mtok", gt=0)
    high_usd_per_mtok: float = column("95th percentile over the draws", unit="usd_per_mtok", gt=0)
    calibration: str = column(
        "of a prediction, what its step times rest on: group (runs of the model, GPU, engine and format) or family (runs of "
        "the engine on that family of GPUs)",
        nullable=True,
        isin=("group", "family"),
    )
    headline: str = column(
        "frame: the point is in the frame that stands for its model, of one term of rent; beside: a GPU that lacks the term, "
        "at its own, under the same question; NULL: other questions",
        nullable=True,
        isin=HEADLINES,
    )
    points_in_frame: pl.Int64 = column("points of the frame", ge=1)
    on_frontier: bool = column("no point of the frame is as good in cost, TTFT and TPOT and better in one")
    frontier_probability: float = column("share of draws in which that holds", ge=0, le=1)
    on_evidence_frontier: bool = column("the same among points that are not predicted; NULL for predictions", nullable=True)
    evidence_frontier_probability: float = column("share of draws in which that holds", ge=0, le=1, nullable=True)
    as_of: pl.Date = column("day the rents are of")
    refreshed_at: Timestamp = column("time of the refresh")

    @pa.dataframe_check(description="cost is rent times GPU-hours")
    def cost_closes(cls, data: pa.PolarsData) -> pl.LazyFrame:
        product = pl.col("gpu_usd_per_hour") * pl.col("gpu_hours_per_mtok")
        return data.lazyframe.select((pl.col("usd_per_mtok") / product - 1).abs() < 1e-9)

    @pa.dataframe_check(description="a range stands exactly where something is known of it, around the value")
    def range_is_known(cls, data: pa.PolarsData) -> pl.LazyFrame:
        low, high = pl.col("low_gpu_hours_per_mtok"), pl.col("high_gpu_hours_per_mtok")
        around = (low <= pl.col("gpu_hours_per_mtok") * (1 + 1e-9)) & (pl.col("gpu_hours_per_mtok") <= high * (1 + 1e-9))
        missing = low.is_null() & high.is_null()
        return data.lazyframe.select(
            pl.when(pl.col("range_basis") == "none").then(missing).otherwise(around.fill_null(value=False))
        )

    @pa.dataframe_check(description="every frame has a frontier")
    def frontier_exists(cls, data: pa.PolarsData) -> pl.LazyFrame:
        is_whole = pl.len().over("frame") == pl.col("points_in_frame")
        return data.lazyframe.select(~is_whole | pl.col("on_frontier").any().over("frame"))

    class Config:
        name = "marts.serving_frontier"
        metadata = carried_from("operating_point", "published_common_frame")
        unique = ["frame", "point"]


class ServingFrontierHistory(Table):
    """How the frontier moved: one row per point each time its cost, latencies or place changed, and when it left.

    Costs are kept to six digits and probabilities to two, so that a refresh in which nothing changed adds nothing.
    """

    frame: str = column(FRAME_MEANING)
    point: str = column(POINT_MEANING)
    basis: str = column(BASIS_MEANING, isin=POINT_BASES)
    gpu: str = column("canonical GPU", nullable=True)
    is_present: bool = column("false: the point left the frame; the other columns say what it was last")
    ttft_s: float = column("time to first token at the percentile", unit="s", ge=0)
    tpot_s: float = column("time per output token at the percentile", unit="s", ge=0)
    gpu_usd_per_hour: float = column("rent of one GPU", unit="usd_per_gpu_hour", gt=0)
    usd_per_mtok: float = column("cost, to six digits", unit="usd_per_mtok", gt=0)
    on_frontier: bool = column("on the frontier of its frame")
    frontier_probability: float = column("to two digits", ge=0, le=1)
    on_evidence_frontier: bool = column("on the frontier without predictions; NULL for predictions", nullable=True)
    as_of: pl.Date = column("day the rents are of")
    refreshed_at: Timestamp = column("time of the refresh that saw the change")

    class Config:
        name = "marts.serving_frontier_history"
        metadata = carried_from("serving_frontier")
        unique = ["frame", "point", "refreshed_at"]

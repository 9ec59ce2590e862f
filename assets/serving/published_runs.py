"""Runs that others published: as transcribed, and as operating points in the frame of the user's own."""

import polars as pl

from assets.documents import parse_all, source_asset
from schemas.base import polars_schema
from schemas.quarantine import Parsed
from schemas.serving.benchmark_outputs import OperatingPoint
from schemas.serving.published_runs import PERCENTILES, PublishedRun
from sources.prices.gpu_names import named
from sources.serving.benchmark_outputs.mlperf import CONTRACTS_S
from sources.serving.benchmark_outputs.operating_points import canonical_models
from sources.serving.published_runs import parse
from sources.source import Snapshot
from warehouse.table import table

GROUP = "benchmark_outputs"
FAMILIES = {
    "measured_inferencex_aggregates": "inferencex",
    "measured_inferencex_captures": "inferencex",
    "measured_others": None,
}
"""Sources by document, where that is not the document's own name; of many publishers each has its own."""
SXM = ("inferencex",)
"""Sources whose H100 and H200 are the SXM parts (InferenceX: its gpu-specs)."""
PER_REQUEST = (
    "inferencex",
    "gpustack",
    "sglang_cookbook",
    "mlperf",
    "dstackai",
    "pchitral",
    "vllm-project",
    "ai-hypercomputer",
)
"""Sources whose TPOT is (E2E - TTFT) / (n - 1) of each request, as vLLM's, SGLang's and MLPerf's clients take it."""
ARRIVALS = {
    "closed": ("closed_loop", None),
    "poisson": ("open_loop", "poisson"),
    "constant": ("open_loop", "constant"),
    "offline": ("all_at_once", None),
}
V5_1 = "2025-09-09"
"""Date of the MLPerf round whose contracts `CONTRACTS_S` holds."""
REPRODUCED = 0.01
"""The total rate is reproduced from those of two pools within this share, or their sizes are not what they say."""
WHOLE_DAY = r"^\d{4}-\d{2}-\d{2}$"

published_runs = source_asset("published_runs", accept=parse, group=GROUP)


@table(schema=PublishedRun, group=GROUP)
def published_run(published_runs: list[Snapshot]) -> Parsed:
    """Every transcribed run with its place and what may be made of it."""
    return parse_all(published_runs, parse, PublishedRun)


def points_of(runs: pl.DataFrame) -> pl.DataFrame:
    """Operating points (contract `OperatingPoint`) of transcribed runs (contract `PublishedRun`), one row a run.

    Where several publishers state a run, the row with a date comes first, and the others are named beside it.
    """
    place = pl.format("{}@{} {}", "publisher", "commit", "path")
    others = runs.group_by("run_id").agg(also_in=place.sort_by(pl.col("date").is_null(), "row_id").slice(1).str.join("; "))
    first = runs.sort(pl.col("date").is_null(), "row_id").unique("run_id", keep="first", maintain_order=True)
    known = with_system_rates(first.join(others, on="run_id", how="left", maintain_order="left").pipe(with_source))
    named_gpus = with_gpu(known.with_columns(source_locator=place, also_in=pl.when(pl.col("also_in") != "").then("also_in")))
    points = with_contract(named_gpus).select(*_columns())
    complete = points.with_columns(
        model_canonical=canonical_models(points["source"], points["model"]),
        **{
            f"{kind}_tokens_per_s": pl.col(f"{kind}_tokens_per_s_per_gpu") * pl.col("gpus_total")
            for kind in ("input", "output", "total")
        },
        priceable=pl.any_horizontal(pl.col("output_tokens_per_s_per_gpu", "total_tokens_per_s_per_gpu") > 0).fill_null(
            value=False
        )
        & pl.col("gpu_canonical").is_not_null(),
    )
    kinds = polars_schema(OperatingPoint)
    absent = [pl.lit(None, kind).alias(name) for name, kind in kinds.items() if name not in complete.columns]
    return complete.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in kinds.items())


def with_source(runs: pl.DataFrame) -> pl.DataFrame:
    """The name under which a run's publisher stands among the formats: its document's, or its own."""
    document = pl.col("source").replace_strict(FAMILIES, default=pl.col("source").str.replace("^measured_", ""))
    owner = pl.col("publisher").str.to_lowercase().str.extract(r"^([^/:]+)").str.replace_all(r"[^a-z0-9]+", "-")
    return runs.with_columns(file_name=pl.format("{}.csv", "source"), source=pl.coalesce(document, owner.str.strip_chars("-")))


def with_system_rates(runs: pl.DataFrame) -> pl.DataFrame:
    """Rates per GPU of the whole system. Of two pools whose sizes reproduce no total, neither sizes nor rates are believed.

    A few sources state the GPUs of both pools together, under both names: then the sizes follow from the rates.
    """
    rate_in, rate_out, total = (pl.col(f"{kind}_tokens_per_s_per_gpu") for kind in ("input", "output", "total"))
    stated, decode = pl.col("prefill_gpus").cast(pl.Float64), pl.col("decode_gpus").cast(pl.Float64)
    share = stated * (total - rate_out) / (rate_in - rate_out)
    together = (
        (stated == decode) & ((share - share.round()).abs() < REPRODUCED) & (share.round() > 0) & (share.round() < stated)
    )
    reproduced = ((rate_in * stated + rate_out * decode) / (stated + decode) / total - 1.0).abs() <= REPRODUCED
    pools = pl.col("rates_of") == "pools"
    prefill = pl.when(reproduced).then(stated).when(together).then(share.round())
    decoding = pl.when(reproduced).then(decode).when(together).then(stated - share.round())
    sized = runs.with_columns(
        prefill_gpus=pl.when(pools).then(prefill).otherwise("prefill_gpus"),
        decode_gpus=pl.when(pools).then(decoding).otherwise("decode_gpus"),
    )
    whole = pl.col("prefill_gpus") + pl.col("decode_gpus")
    system = pl.col("rates_of") == "system"
    return sized.with_columns(
        gpus=pl.when(pools).then(whole).otherwise("gpus"),
        input_tokens_per_s_per_gpu=pl.when(pools).then(rate_in * pl.col("prefill_gpus") / whole).when(system).then(rate_in),
        output_tokens_per_s_per_gpu=pl.when(pools).then(rate_out * pl.col("decode_gpus") / whole).when(system).then(rate_out),
        total_tokens_per_s_per_gpu=pl.when(pools | system).then(total),
        basis=pl.when(pools & whole.is_null()).then(pl.lit("doubtful")).otherwise("basis"),
        note=pl.when(pools & whole.is_null())
        .then(pl.lit("the sizes of the pools do not reproduce the total rate"))
        .when(pools & (prefill != stated))
        .then(pl.lit("the source states the GPUs of both pools together: their sizes follow from the rates"))
        .otherwise("note"),
    )


def with_gpu(runs: pl.DataFrame) -> pl.DataFrame:
    """Canonical accelerator of each run and how it is known."""
    labels = runs["gpu"].drop_nulls().unique().to_list()
    found = pl.DataFrame(
        [(label, named(label).gpu, named(label).basis) for label in labels],
        schema={"gpu": pl.String, "gpu_canonical": pl.String, "gpu_basis": pl.String},
        orient="row",
    )
    by_source = pl.col("source").is_in(SXM) & (pl.col("gpu_basis") == "usual")
    return runs.join(found, on="gpu", how="left", maintain_order="left").with_columns(
        gpu_basis=pl.when(by_source).then(pl.lit("source")).otherwise("gpu_basis")
    )


def with_contract(runs: pl.DataFrame) -> pl.DataFrame:
    """Bounds that MLPerf v5.1 audits a run against, by benchmark and scenario."""
    bounds = pl.DataFrame(
        [(model, scenario, *seconds) for (model, scenario), seconds in CONTRACTS_S.items()],
        schema={"benchmark": pl.String, "scenario": pl.String, "slo_ttft_s": pl.Float64, "slo_tpot_s": pl.Float64},
        orient="row",
    )
    audited = (pl.col("source") == "mlperf") & (pl.col("date") == V5_1)
    asked = runs.with_columns(
        benchmark=pl.when(audited).then(pl.col("model").str.replace(r"(-interactive)?(-99(\.9)?)?$", "")),
        scenario=pl.coalesce("run", "path").str.extract(r"\b(Server|Interactive)\b"),
    )
    joined = asked.join(bounds, on=["benchmark", "scenario"], how="left", maintain_order="left")
    return joined.with_columns(slo_percentile=pl.when(pl.col("slo_ttft_s").is_not_null()).then(99.0))


def _columns() -> list[pl.Expr]:
    """Columns of `OperatingPoint` that a transcribed run states, by their names there."""
    nominal = pl.col("source") == "inferencex"
    own = pl.col("disaggregated").fill_null(value=False)
    kept = [
        "run_id",
        "source",
        "source_locator",
        "also_in",
        "file_name",
        "engine",
        "engine_version",
        "model",
        "precision",
        "gpu",
        "gpu_canonical",
        "gpu_basis",
        "prefill_tp",
        "prefill_ep",
        "prefill_dp_attention",
        "request_rate_per_s",
        "burstiness",
        "concurrency",
        "joules_per_output_token",
        "slo_ttft_s",
        "slo_tpot_s",
        "slo_percentile",
        "prefix_caching",
        "basis",
    ]
    latencies = [
        pl.col(f"{name}_{q}_s").alias(f"{name.replace('e2el', 'e2e')}_{q}_s")
        for name in ("ttft", "tpot", "itl", "e2el")
        for q in PERCENTILES
    ]
    per_request = pl.when(
        pl.col("source").is_in(PER_REQUEST) & pl.coalesce("tpot_mean_s", "tpot_p50_s", "tpot_p99_s").is_not_null()
    )
    named_columns = {
        "system": pl.when(pl.col("source") == "mlperf").then("run"),
        "gpus_total": pl.col("gpus"),
        "gpus_prefill": pl.col("prefill_gpus"),
        "gpus_decode": pl.col("decode_gpus"),
        "architecture": pl.when(pl.col("disaggregated")).then(pl.lit("disaggregated")).when(~own).then(pl.lit("colocated")),
        "tp": pl.when(own).then("decode_tp").otherwise("tp"),
        "ep": pl.when(own).then("decode_ep").otherwise("ep"),
        "dp_attention": pl.when(own).then("decode_dp_attention").otherwise("dp_attention"),
        "input_tokens_nominal": pl.when(nominal).then("input_tokens"),
        "output_tokens_nominal": pl.when(nominal).then("output_tokens"),
        "input_tokens_mean": pl.when(~nominal).then("input_tokens"),
        "output_tokens_mean": pl.when(~nominal).then("output_tokens"),
        "arrival": pl.col("arrivals").replace_strict({name: kind for name, (kind, _) in ARRIVALS.items()}, default=None),
        "arrival_process": pl.col("arrivals").replace_strict(
            {name: law for name, (_, law) in ARRIVALS.items() if law}, default=None
        ),
        "start_burst_bias": pl.when(nominal).then(pl.lit(value=True)),
        "tpot_definition": per_request.then(pl.lit("after_first_token")),
        "percentile_basis": per_request.then(pl.lit("requests")),
        **{f"{pool}_workers": pl.col(f"{pool}_workers").replace(0, None) for pool in ("prefill", "decode")},
        "engine_basis": pl.when(pl.col("engine").is_not_null()).then(pl.lit("server")),
        "tpot_basis": pl.when(pl.coalesce("tpot_mean_s", "tpot_p50_s", "tpot_p99_s").is_not_null()).then(pl.lit("stated")),
        "requests_per_s": pl.col("completed_rate_per_s"),
        "n_requests": pl.col("requests").round().cast(pl.Int64),
        "speculative_decoding": pl.col("speculative"),
        "power_w_per_gpu": pl.col("power_w_per_gpu").replace(0.0, None),
        "measured_on": pl.when(pl.col("date").str.contains(WHOLE_DAY)).then(
            pl.col("date").str.to_date("%Y-%m-%d", strict=False)
        ),
        "notes": pl.col("note"),
    }
    rates = [pl.col(f"{kind}_tokens_per_s_per_gpu") for kind in ("input", "output", "total")]
    return [*map(pl.col, kept), *latencies, *rates, *(value.alias(name) for name, value in named_columns.items())]

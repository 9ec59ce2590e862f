"""What every operating point says of itself beyond its figures: one row a run, its flags, and a rate from what it states."""

import numpy as np
import polars as pl

from economics.serving.closed_loop import implied_output_tokens, loop_excess
from schemas.base import polars_schema
from schemas.serving.benchmark_outputs import OperatingPoint
from sources.serving.published_runs import identities

STARTS_POLLUTED, CLIENT_LIMITED = 1.15, 2.0
"""Loop excess above which a run's start and end weigh in its rate, and above which only a slow client explains it."""
SENT = 0.9
"""Share of the asked rate below which a client did not send it."""
CONFIGURATION = [
    "source",
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
    "prefill_ep",
    "prefill_dp_attention",
    "prefill_workers",
    "decode_workers",
    "system",
    "submitter",
    "speculative_decoding",
    "prefix_caching",
    "input_tokens_nominal",
    "output_tokens_nominal",
    "input_tokens_mean",
    "output_tokens_mean",
    "arrival",
    "request_rate_per_s",
    "concurrency",
    "basis",
    "slo_ttft_s",
    "slo_tpot_s",
]
"""What a repetition of a run has in common with it, beside the model."""


def one_row_a_run(own: pl.DataFrame, published: pl.DataFrame) -> pl.DataFrame:
    """Points (contract `OperatingPoint`) of files and interfaces, and those of publications that state no run among them.

    A run of a file that a publication states as well has the publication beside it in `also_in`.
    """
    told = own.with_columns(identity=identities(own.rename({"gpus_total": "gpus"}), unique="run_id"))
    beside = published.select(identity="run_id", stated_at="source_locator")
    named = told.join(beside, on="identity", how="left", maintain_order="left").with_columns(
        also_in=pl.coalesce("also_in", "stated_at")
    )
    others = published.join(told, left_on="run_id", right_on="identity", how="anti")
    return pl.concat([named.select(own.columns), others.select(own.columns)])


def with_flags(points: pl.DataFrame) -> pl.DataFrame:
    """Points (contract `OperatingPoint`) with a rate of output where total and lengths give it, and with their flags."""
    rated = with_output_rate(points)
    columns = rated.select(
        concurrency=pl.when(pl.col("arrival") == "closed_loop").then("concurrency"),
        output_tokens=pl.coalesce("output_tokens_mean", "output_tokens_nominal"),
        output_tokens_per_s=pl.when(pl.col("output_tokens_per_s") > 0).then("output_tokens_per_s"),
        ttft_s=pl.coalesce("ttft_mean_s", "ttft_p50_s"),
        tpot_s=pl.coalesce("tpot_mean_s", "tpot_p50_s"),
    )
    excess = loop_excess(**{name: columns[name].cast(pl.Float64).to_numpy() for name in columns.columns})
    means = {name: rated[f"{name}_mean_s"].to_numpy() for name in ("ttft", "tpot", "e2e")}
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = implied_output_tokens(ttft_s=means["ttft"], tpot_s=means["tpot"], e2e_s=means["e2e"])
    whole_request = (pl.col("tpot_definition") == "after_first_token") & (pl.col("tpot_mean_s") > 0)
    slow = pl.col("sent_rate_per_s") < SENT * pl.col("request_rate_per_s")
    same = [pl.coalesce("model_canonical", "model"), *map(pl.col, CONFIGURATION)]
    flagged = rated.with_columns(
        loop_excess=pl.Series(np.asarray(excess), dtype=pl.Float64).fill_nan(None),
        output_tokens_implied=pl.when(whole_request).then(pl.Series(np.asarray(implied), dtype=pl.Float64).fill_nan(None)),
        replicates=pl.len().over(same).cast(pl.Int64),
    ).with_columns(pl.when(pl.col("output_tokens_implied") > 0).then("output_tokens_implied").alias("output_tokens_implied"))
    return flagged.with_columns(
        starts_polluted=pl.col("loop_excess") > STARTS_POLLUTED,
        client_limited=pl.coalesce((pl.col("loop_excess") > CLIENT_LIMITED) | slow.fill_null(value=False), slow),
    ).select(list(polars_schema(OperatingPoint)))


def with_output_rate(points: pl.DataFrame) -> pl.DataFrame:
    """The output rate as stated, else the total rate by the share of the answer in the mean lengths (else the nominal ones)."""
    tokens_in, tokens_out = (pl.coalesce(f"{kind}_tokens_mean", f"{kind}_tokens_nominal") for kind in ("input", "output"))
    share = tokens_out / (tokens_in + tokens_out)
    stated = pl.col("output_tokens_per_s_per_gpu").is_not_null() | pl.col("output_tokens_per_s").is_not_null()
    given = pl.coalesce("total_tokens_per_s_per_gpu", "total_tokens_per_s").is_not_null() & (share > 0)
    return points.with_columns(
        output_rate_basis=pl.coalesce(
            "output_rate_basis",
            pl.when(stated).then(pl.lit("stated")).when(given).then(pl.lit("from_total")),
        ),
        **{
            f"output_tokens_per_s{end}": pl.coalesce(f"output_tokens_per_s{end}", pl.col(f"total_tokens_per_s{end}") * share)
            for end in ("", "_per_gpu")
        },
    )

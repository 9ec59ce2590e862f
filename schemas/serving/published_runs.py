"""Contract of measured runs that others published, one row a run as transcribed."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, column

TRANSCRIBED_BASES = ("measured", "peer_reviewed", "assumed", "static_batch", "split_stream", "doubtful")
TRANSCRIBED_BASIS_MEANING = (
    "measured: by its publisher; peer_reviewed: under MLPerf's rules; assumed: the page does not say which tokens it counts; "
    "static_batch: one batch that runs to its end; split_stream: layers of one stream over several cards; doubtful: a known "
    "fault or a headline, see note. No fit and no frontier uses the last four"
)
RATES_OF = ("system", "pools", "prefill_pool", "decode_pool")
RATES_OF_MEANING = (
    "GPUs that the rates are divided by. system: all; pools: input by those that prefill, output by those that decode, the "
    "total by all; prefill_pool, decode_pool: one pool, of which alone the source speaks"
)
ARRIVALS = ("closed", "poisson", "offline", "constant")
PERCENTILES = ("mean", "p50", "p90", "p99")


def _number(meaning: str, *, unit: str | None = None) -> pl.Float64:
    field: pl.Float64 = column(meaning, unit=unit, nullable=True, ge=0)
    return field


def _count(meaning: str, *, unit: str) -> pl.Int64:
    field: pl.Int64 = column(meaning, unit=unit, nullable=True, ge=1)
    return field


def _flag(meaning: str) -> bool:
    field: bool = column(meaning, nullable=True)
    return field


class PublishedRun(Table):
    """Runs measured by others, as repositories and pages state them; units stand in the names, rates are per accelerator.

    Not computed but for two things: rates of systems were divided by the accelerators the source states, and mean lengths are
    total tokens over requests. `sources/transcribed/measured_*.source.yaml` say what throughput means in each source.
    """

    row_id: str = column("document and line of the transcription", unique=True)
    run_id: str = column("key of core.operating_point; rows of one run under several publishers share it")
    publisher: str = column("repository or page")
    commit: str = column("commit, version or date of the document")
    path: str = column("file, and place in it", str_length={"min_value": 1})
    run: str = column("the run as its publisher names it, shortened", nullable=True)
    date: str = column("day or month of the run or its document, where stated", nullable=True)
    basis: str = column(TRANSCRIBED_BASIS_MEANING, isin=TRANSCRIBED_BASES)
    rates_of: str = column(RATES_OF_MEANING, isin=RATES_OF)
    model: str = column("model, as written")
    gpu: str = column("accelerator, as written or as the publisher's harness is known to use it", nullable=True)
    engine: str = column("serving engine", nullable=True)
    engine_version: str = column("version or image of the engine, as written", nullable=True)
    precision: str = column("number format of the weights, as written", nullable=True)
    speculative: str = column("method of speculative decoding; none: stated to be off", nullable=True)
    disaggregated: bool = _flag("prefill and decode in separate pools")
    gpus: pl.Int64 = _count("accelerators of the system", unit="gpus")
    prefill_gpus: pl.Int64 = _count("accelerators of the prefill pool", unit="gpus")
    decode_gpus: pl.Int64 = _count("accelerators of the decode pool", unit="gpus")
    prefill_workers: pl.Int64 = column("prefill workers; 0 as printed: not known", unit="workers", nullable=True, ge=0)
    decode_workers: pl.Int64 = column("decode workers; 0 as printed: not known", unit="workers", nullable=True, ge=0)
    tp: pl.Int64 = _count("tensor parallelism", unit="gpus")
    ep: pl.Int64 = _count("expert parallelism", unit="gpus")
    dp_attention: bool = _flag("attention is data-parallel")
    prefill_tp: pl.Int64 = _count("tensor parallelism of a prefill worker", unit="gpus")
    prefill_ep: pl.Int64 = _count("expert parallelism of a prefill worker", unit="gpus")
    prefill_dp_attention: bool = _flag("attention of the prefill workers is data-parallel")
    decode_tp: pl.Int64 = _count("tensor parallelism of a decode worker", unit="gpus")
    decode_ep: pl.Int64 = _count("expert parallelism of a decode worker", unit="gpus")
    decode_dp_attention: bool = _flag("attention of the decode workers is data-parallel")
    input_tokens: pl.Float64 = _number(
        "prompt length: asked for by InferenceX, else the mean or the fixed length", unit="tokens"
    )
    output_tokens: pl.Float64 = _number("answer length, likewise", unit="tokens")
    arrivals: str = column(
        "closed: a fixed number in flight; poisson; constant spacing; offline: all at once", isin=ARRIVALS, nullable=True
    )
    concurrency: pl.Float64 = _number("most requests in flight, or the size of a static batch", unit="requests")
    request_rate_per_s: pl.Float64 = _number("rate asked for", unit="requests_per_s")
    completed_rate_per_s: pl.Float64 = _number("requests finished", unit="requests_per_s")
    requests: pl.Float64 = _number("requests sent", unit="requests")
    burstiness: pl.Float64 = _number("shape of the gamma law of the gaps")
    prefix_caching: bool = _flag("prefixes are cached")
    total_tokens_per_s_per_gpu: pl.Float64 = _number("all tokens", unit="tokens_per_s")
    output_tokens_per_s_per_gpu: pl.Float64 = _number("output tokens", unit="tokens_per_s")
    input_tokens_per_s_per_gpu: pl.Float64 = _number("prompt tokens", unit="tokens_per_s")
    ttft_mean_s: pl.Float64 = _number("mean time to first token", unit="s")
    ttft_p50_s: pl.Float64 = _number("median time to first token", unit="s")
    ttft_p90_s: pl.Float64 = _number("90th percentile of time to first token", unit="s")
    ttft_p99_s: pl.Float64 = _number("99th percentile of time to first token", unit="s")
    tpot_mean_s: pl.Float64 = _number("mean time per output token", unit="s")
    tpot_p50_s: pl.Float64 = _number("median time per output token", unit="s")
    tpot_p90_s: pl.Float64 = _number("90th percentile of time per output token", unit="s")
    tpot_p99_s: pl.Float64 = _number("99th percentile of time per output token", unit="s")
    itl_mean_s: pl.Float64 = _number("mean gap between stream events", unit="s")
    itl_p50_s: pl.Float64 = _number("median gap between stream events", unit="s")
    itl_p90_s: pl.Float64 = _number("90th percentile of the gap between stream events", unit="s")
    itl_p99_s: pl.Float64 = _number("99th percentile of the gap between stream events", unit="s")
    e2el_mean_s: pl.Float64 = _number("mean time from request to last token", unit="s")
    e2el_p50_s: pl.Float64 = _number("median time from request to last token", unit="s")
    e2el_p90_s: pl.Float64 = _number("90th percentile of the time from request to last token", unit="s")
    e2el_p99_s: pl.Float64 = _number("99th percentile of the time from request to last token", unit="s")
    power_w_per_gpu: pl.Float64 = _number("mean electric power of one accelerator", unit="w")
    joules_per_output_token: pl.Float64 = _number("energy per output token", unit="j_per_token")
    usd_per_gpu_hour_stated: pl.Float64 = _number("price that the publisher states", unit="usd_per_gpu_hour")
    note: str = column("what to know first", nullable=True)
    source: str = column("source of the transcription")

    @pa.dataframe_check(description="a run states a rate or a latency")
    def says_something(cls, data: pa.PolarsData) -> pl.LazyFrame:
        figures = [f"{name}_{q}_s" for name in ("ttft", "tpot", "itl", "e2el") for q in PERCENTILES]
        rates = [f"{kind}_tokens_per_s_per_gpu" for kind in ("total", "output", "input")]
        return data.lazyframe.select(pl.any_horizontal(pl.col(*figures, *rates).is_not_null()))

    class Config:
        name = "raw.published_run"

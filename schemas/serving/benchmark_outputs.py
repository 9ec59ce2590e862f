"""Contracts of benchmark outputs: each run as its tool wrote it, and all of them as operating points in one frame."""

import polars as pl

from schemas.base import Table, Timestamp, carried_from, column

ARCHITECTURES = ("colocated", "chunked", "disaggregated")
ARRIVALS = ("open_loop", "open_loop_capped", "closed_loop", "all_at_once")
TPOT_DEFINITIONS = ("after_first_token", "over_all_tokens", "pooled_gaps", "mean_of_worst_tenth")
PERCENTILE_BASES = ("requests", "token_weighted_requests", "tokens")
BASES = ("measured", "peer_reviewed", "simulated", "assumed", "static_batch", "split_stream", "doubtful")
EVIDENCE = ("measured", "peer_reviewed")
"""Bases of runs that a fit or a frontier may rest on."""
STATISTICS = ("mean", "p50", "p90", "p95", "p99", "p999")
LATENCIES = ("ttft", "tpot", "itl", "e2e")
ENGINE_BASES = ("server", "user", "client")
TPOT_BASES = ("stated", "from_e2e")
RATE_BASES = ("stated", "from_total")

GPU_BASES = ("named", "source", "usual")
GPU_BASIS_MEANING = (
    "how gpu_canonical is known. named: the name as written fits one product; source: stated beside the run or by its "
    "publisher; usual: the name leaves the product open, as H100 does, and the one most often meant is taken"
)

ARCHITECTURE_MEANING = (
    "colocated: prefill and decode share GPUs, chunking not stated; chunked: shared, with chunked prefill; "
    "disaggregated: separate pools; NULL: not stated"
)
ARRIVAL_MEANING = (
    "open_loop: requests come on their own clock; open_loop_capped: the same, but held back at `concurrency`; "
    "closed_loop: a fixed number in flight; all_at_once: every request at the start"
)
ENGINE_BASIS_MEANING = (
    "server: the server or who runs it says so; user: said at ingest; client: only a label of the load client, which the "
    "server may not match; NULL: the engine is not known"
)
TPOT_BASIS_MEANING = (
    "stated: as the source states it; from_e2e: (E2E - TTFT)/(n - 1) of the means, because the stated one does not fit them"
)
TPOT_MEANING = (
    "after_first_token: (E2E - TTFT)/(n - 1) per request; over_all_tokens: E2E/n per request; "
    "pooled_gaps: every gap between tokens; mean_of_worst_tenth: mean of the slowest tenth of gaps"
)


def _seconds(meaning: str) -> pl.Float64:
    field: pl.Float64 = column(meaning, unit="s", nullable=True, ge=0)
    return field


def _tokens(meaning: str) -> pl.Float64:
    field: pl.Float64 = column(meaning, unit="tokens", nullable=True, ge=0)
    return field


def _tokens_per_s(meaning: str) -> pl.Float64:
    field: pl.Float64 = column(meaning, unit="tokens_per_s", nullable=True, ge=0)
    return field


def _whole(meaning: str, *, unit: str, least: int = 1) -> pl.Int64:
    field: pl.Int64 = column(meaning, unit=unit, nullable=True, ge=least)
    return field


class BenchmarkRun(Table):
    """One run as a benchmark tool wrote it: the record, untouched, and the file it stood in."""

    record_id: str = column("first 16 hex digits of the file's SHA-256, a dash, and the place of the record in the file")
    run_id: str = column("key of core.operating_point: what the run measured, hashed; the record id of a run not believed")
    source: str = column("format of the file, such as vllm or inferencex")
    file_name: str = column("name of the file, for a reader; no id depends on it")
    file_sha256: str = column("SHA-256 of the file")
    run_key: str = column("where the run stands in the file: a line, an element, or the tool's own id")
    record_json: str = column("the run's record as published, as JSON; texts and per-request lists stay in the file")

    class Config:
        name = "raw.benchmark_run"
        unique = ["record_id"]


class OperatingPoint(Table):
    """One measured point of a serving system: what ran where, under which load, how fast, and under which contract."""

    run_id: str = column(
        "what the run measured, hashed: the same in every file that tells of it",
        derived_from=("benchmark_run.run_id", "published_run.run_id"),
    )
    source: str = column("format of the file, such as vllm or inferencex, or who published the run")
    source_locator: str = column("where the source shows the run: URL, result folder, id, or file of a commit", nullable=True)
    also_in: str = column("other places that state the same run, with semicolons", nullable=True)
    file_name: str = column("name of the file the run came from")
    submitter: str = column("who measured, where the source says it", nullable=True)
    client: str = column("load client, or the name of its backend, as written", nullable=True)
    system: str = column("name of the machine or cluster, as written", nullable=True)
    engine: str = column("serving engine, such as vllm or sglang", nullable=True)
    engine_basis: str = column(ENGINE_BASIS_MEANING, isin=ENGINE_BASES, nullable=True)
    engine_in_file: str = column("engine as the file says, where the user names another", nullable=True)
    engine_version: str = column("version or image of the engine, as written", nullable=True)
    model: str = column("model, as written", nullable=True)
    model_in_file: str = column("model as the file says, where the user names it otherwise", nullable=True)
    model_canonical: str = column("model, key of core.model; NULL where the name is not known", nullable=True)
    precision: str = column("number format of the weights, as written", nullable=True)
    gpu: str = column("accelerator, as written", nullable=True)
    gpu_canonical: str = column("accelerator, such as h100-sxm; NULL where the name is not known", nullable=True)
    gpu_basis: str = column(GPU_BASIS_MEANING, isin=GPU_BASES, nullable=True)
    gpus_total: pl.Int64 = _whole("accelerators of the whole system", unit="gpus")
    gpus_prefill: pl.Int64 = _whole("accelerators of the prefill pool", unit="gpus")
    gpus_decode: pl.Int64 = _whole("accelerators of the decode pool", unit="gpus")
    architecture: str = column(ARCHITECTURE_MEANING, isin=ARCHITECTURES, nullable=True)
    tp: pl.Int64 = _whole("tensor parallelism of the engine, of a decode worker if disaggregated", unit="gpus")
    pp: pl.Int64 = _whole("pipeline parallelism of the engine, of a decode worker if disaggregated", unit="stages")
    ep: pl.Int64 = _whole("expert parallelism of the engine, of a decode worker if disaggregated", unit="gpus")
    dp_attention: bool = column("attention is data-parallel", nullable=True)
    prefill_tp: pl.Int64 = _whole("tensor parallelism of a prefill worker", unit="gpus")
    prefill_pp: pl.Int64 = _whole("pipeline parallelism of a prefill worker", unit="stages")
    prefill_ep: pl.Int64 = _whole("expert parallelism of a prefill worker", unit="gpus")
    prefill_dp_attention: bool = column("attention of the prefill workers is data-parallel", nullable=True)
    prefill_workers: pl.Int64 = _whole("prefill workers", unit="workers")
    decode_workers: pl.Int64 = _whole("decode workers", unit="workers")
    input_tokens_nominal: pl.Float64 = _tokens("prompt length asked for; the mean can differ")
    input_tokens_mean: pl.Float64 = _tokens("mean prompt length")
    input_tokens_p50: pl.Float64 = _tokens("median prompt length")
    input_tokens_p90: pl.Float64 = _tokens("90th percentile of prompt length")
    input_tokens_p99: pl.Float64 = _tokens("99th percentile of prompt length")
    output_tokens_nominal: pl.Float64 = _tokens("answer length asked for; the mean can differ")
    output_tokens_mean: pl.Float64 = _tokens("mean answer length")
    output_tokens_p50: pl.Float64 = _tokens("median answer length")
    output_tokens_p90: pl.Float64 = _tokens("90th percentile of answer length")
    output_tokens_p99: pl.Float64 = _tokens("99th percentile of answer length")
    arrival: str = column(ARRIVAL_MEANING, isin=ARRIVALS, nullable=True)
    arrival_process: str = column("law of the arrivals, such as poisson, gamma, constant or trace", nullable=True)
    request_rate_per_s: float = column("rate asked for; NULL if unlimited", unit="requests_per_s", nullable=True, gt=0)
    sent_rate_per_s: float = column("rate at which requests were sent", unit="requests_per_s", nullable=True, ge=0)
    burstiness: float = column("shape of the gamma law of the gaps; 1 is Poisson", nullable=True, gt=0)
    concurrency: float = column("most requests in flight", unit="requests", nullable=True, gt=0)
    start_burst_bias: bool = column(
        "all clients start at once, so that the slow tail of TTFT holds the opening queue; NULL: not known",
        nullable=True,
    )
    ttft_mean_s: pl.Float64 = _seconds("mean time to first token")
    ttft_p50_s: pl.Float64 = _seconds("median time to first token")
    ttft_p90_s: pl.Float64 = _seconds("90th percentile of time to first token")
    ttft_p95_s: pl.Float64 = _seconds("95th percentile of time to first token")
    ttft_p99_s: pl.Float64 = _seconds("99th percentile of time to first token")
    ttft_p999_s: pl.Float64 = _seconds("99.9th percentile of time to first token")
    tpot_mean_s: pl.Float64 = _seconds("mean time per output token; see tpot_definition")
    tpot_p50_s: pl.Float64 = _seconds("median time per output token; see tpot_definition")
    tpot_p90_s: pl.Float64 = _seconds("90th percentile of time per output token; see tpot_definition")
    tpot_p95_s: pl.Float64 = _seconds("95th percentile of time per output token; see tpot_definition")
    tpot_p99_s: pl.Float64 = _seconds("99th percentile of time per output token; see tpot_definition")
    tpot_p999_s: pl.Float64 = _seconds("99.9th percentile of time per output token; see tpot_definition")
    tpot_definition: str = column(TPOT_MEANING, isin=TPOT_DEFINITIONS, nullable=True)
    tpot_basis: str = column(TPOT_BASIS_MEANING, isin=TPOT_BASES, nullable=True)
    itl_mean_s: pl.Float64 = _seconds("mean gap between stream events; an event can carry several tokens")
    itl_p50_s: pl.Float64 = _seconds("median gap between stream events")
    itl_p90_s: pl.Float64 = _seconds("90th percentile of the gap between stream events")
    itl_p95_s: pl.Float64 = _seconds("95th percentile of the gap between stream events")
    itl_p99_s: pl.Float64 = _seconds("99th percentile of the gap between stream events")
    itl_p999_s: pl.Float64 = _seconds("99.9th percentile of the gap between stream events")
    e2e_mean_s: pl.Float64 = _seconds("mean time from request to last token")
    e2e_p50_s: pl.Float64 = _seconds("median time from request to last token")
    e2e_p90_s: pl.Float64 = _seconds("90th percentile of the time from request to last token")
    e2e_p95_s: pl.Float64 = _seconds("95th percentile of the time from request to last token")
    e2e_p99_s: pl.Float64 = _seconds("99th percentile of the time from request to last token")
    e2e_p999_s: pl.Float64 = _seconds("99.9th percentile of the time from request to last token")
    percentile_basis: str = column(
        "what TPOT percentiles run over; those of TTFT and E2E always run over requests",
        isin=PERCENTILE_BASES,
        nullable=True,
    )
    latency_closure: float = column(
        "(TTFT + TPOT (n - 1)) / E2E of the means; far from 1, the file's own figures disagree",
        nullable=True,
        ge=0,
    )
    input_tokens_per_s_per_gpu: pl.Float64 = _tokens_per_s("prompt tokens per second per GPU of the whole system")
    output_tokens_per_s_per_gpu: pl.Float64 = _tokens_per_s("output tokens per second per GPU of the whole system")
    total_tokens_per_s_per_gpu: pl.Float64 = _tokens_per_s("all tokens per second per GPU of the whole system")
    output_rate_basis: str = column(
        "stated: as the source states it; from_total: from the rate of all tokens and the lengths",
        isin=RATE_BASES,
        nullable=True,
    )
    input_tokens_per_s: pl.Float64 = _tokens_per_s("prompt tokens per second of the system")
    output_tokens_per_s: pl.Float64 = _tokens_per_s("output tokens per second of the system")
    total_tokens_per_s: pl.Float64 = _tokens_per_s("all tokens per second of the system")
    requests_per_s: float = column("requests finished per second", unit="requests_per_s", nullable=True, ge=0)
    slo_ttft_s: pl.Float64 = _seconds("bound on time to first token")
    slo_tpot_s: pl.Float64 = _seconds("bound on time per output token")
    slo_e2e_s: pl.Float64 = _seconds("bound on the time to the last token")
    slo_percentile: float = column("percentile at which the bounds hold, such as 99", nullable=True, gt=0, le=100)
    slo_met: bool = column("the run met its bounds, as its source states", nullable=True)
    goodput_per_s: float = column("requests per second inside the bounds", unit="requests_per_s", nullable=True, ge=0)
    attainment: float = column("share of finished requests inside the bounds", nullable=True, ge=0, le=1)
    n_requests: pl.Int64 = _whole("requests that finished", unit="requests", least=0)
    n_failed: pl.Int64 = _whole("requests that failed", unit="requests", least=0)
    failed_share: float = column("failed requests over all that were sent", nullable=True, ge=0, le=1)
    duration_s: pl.Float64 = _seconds("length of the measured part of the run")
    prefix_caching: bool = column("prefixes were cached; NULL: not stated", nullable=True)
    speculative_decoding: str = column("none, mtp, eagle, ...; NULL: not stated", nullable=True)
    accepted_tokens_per_step: float = column("mean tokens kept per decode step", unit="tokens", nullable=True, ge=0)
    power_w_per_gpu: float = column("mean electric power of one GPU", unit="w", nullable=True, gt=0)
    joules_per_output_token: float = column("GPU energy per output token", unit="j_per_token", nullable=True, gt=0)
    joules_per_total_token: float = column("GPU energy per token of any kind", unit="j_per_token", nullable=True, gt=0)
    usd_per_gpu_hour: float = column(
        "price of one GPU that the user stated beside the file", unit="usd_per_gpu_hour", nullable=True, gt=0
    )
    measured_on: pl.Date = column("day of the run, where the source states it", nullable=True)
    output_tokens_implied: float = column(
        "mean answer that the mean latencies imply, (E2E - TTFT) / TPOT + 1", unit="tokens", nullable=True, ge=0
    )
    loop_excess: float = column(
        "of a closed loop, the time a place takes for a request over TTFT + o TPOT; 1 where every place is always taken",
        nullable=True,
        ge=0,
    )
    starts_polluted: bool = column(
        "loop_excess above 1.15: places stand empty at the start and end of the run, so its rate is below the steady one; "
        "NULL: not known",
        nullable=True,
    )
    client_limited: bool = column(
        "loop_excess above 2, or requests sent at less than .9 of the rate asked for: the client and not the system sets the "
        "rate; NULL: not known",
        nullable=True,
    )
    replicates: pl.Int64 = column(
        "runs of the same configuration under the same load, this one among them", unit="runs", ge=1, nullable=True
    )
    basis: str = column(
        "measured by its owner; peer_reviewed: under MLPerf's rules; simulated; and as raw.published_run has them: assumed, "
        "static_batch, split_stream, doubtful. Fits and frontiers use the first two alone",
        isin=BASES,
    )
    priceable: bool = column("a throughput per GPU is known, and either the GPU or its price is")
    notes: str = column("what a reader must know of this row", nullable=True)

    class Config:
        name = "core.operating_point"
        metadata = carried_from("benchmark_run")
        unique = ["run_id"]


class RequestTrace(Table):
    """Requests of one production trace, each when it came and how long it was; one Parquet file per trace."""

    arrived_s: float = column(
        "time since the earliest request of the trace; NULL for a turn of which only the gap before it is told",
        unit="s",
        nullable=True,
        ge=0,
    )
    input_tokens: pl.Int64 = column("prompt length", unit="tokens", ge=1)
    output_tokens: pl.Int64 = column("answer length", unit="tokens", ge=0)
    session_id: str = column("session the request is a turn of, where the trace tells them apart", nullable=True)
    turn: pl.Int32 = column("place of the request in its session, from 1", unit="turns", nullable=True)
    gap_s: float = column("pause since the turn before ended, where it is told", unit="s", nullable=True, ge=0)
    cached_input_tokens: pl.Int64 = column(
        "tokens of the prompt in blocks that an earlier request of the trace held; NULL where prompts are not told apart",
        unit="tokens",
        nullable=True,
        ge=0,
    )

    class Config:
        name = "request_trace"


class TraceRequest(RequestTrace):
    """One request of a production trace: when it came and how long prompt and answer were. Not a measured latency."""

    trace_id: str = column("key of core.workload")

    class Config:
        name = "raw.trace_request"


class Workload(Table):
    """A trace in one row: its rate and the distribution of its prompt and answer lengths."""

    trace_id: str = column("first 16 hex digits of the SHA-256 of the trace file")
    source: str = column("layout of the trace, such as azure_llm_trace or mooncake_trace")
    file_name: str = column("name of the trace file")
    started_at: Timestamp = column("time of the first request, where the trace states dates", nullable=True)
    arrival_basis: str = column(
        "stated: every request has its time; session_starts: first turns have one, later ones a gap; gaps: none has one",
        isin=("stated", "session_starts", "gaps"),
    )
    duration_s: float = column("time from first to last request that has one", unit="s", nullable=True, ge=0)
    n_requests: pl.Int64 = column("requests", unit="requests", ge=1)
    n_failed: pl.Int64 = column("requests without an answer, left out", unit="requests", nullable=True, ge=0)
    requests_per_s: float = column("mean rate of arrival", unit="requests_per_s", nullable=True, gt=0)
    input_tokens_basis: str = column(
        "stated, or estimated_from_text: four characters a token, where the trace holds texts and no lengths",
        isin=("stated", "estimated_from_text"),
    )
    input_tokens_mean: pl.Float64 = _tokens("mean prompt length")
    input_tokens_p50: pl.Float64 = _tokens("median prompt length")
    input_tokens_p90: pl.Float64 = _tokens("90th percentile of prompt length")
    input_tokens_p99: pl.Float64 = _tokens("99th percentile of prompt length")
    input_tokens_p999: pl.Float64 = _tokens("99.9th percentile of prompt length")
    output_tokens_mean: pl.Float64 = _tokens("mean answer length")
    output_tokens_p50: pl.Float64 = _tokens("median answer length")
    output_tokens_p90: pl.Float64 = _tokens("90th percentile of answer length")
    output_tokens_p99: pl.Float64 = _tokens("99th percentile of answer length")
    output_tokens_p999: pl.Float64 = _tokens("99.9th percentile of answer length")
    n_sessions: pl.Int64 = column("sessions of several turns or one", unit="sessions", nullable=True, ge=1)
    turns_mean: float = column("mean turns of a session", unit="turns", nullable=True, ge=1)
    prefix_hit_rate: float = column(
        "share of prompt tokens that a prefix cache without end would have held", nullable=True, ge=0, le=1
    )

    class Config:
        name = "core.workload"
        unique = ["trace_id"]

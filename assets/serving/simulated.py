"""The closed forms against a simulation of every request: what a cluster carries within its contract, and how late it is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from economics.serving.cost import ARCHITECTURES
from economics.serving.prefill_pool import prefill_times
from economics.serving.promise import Promise, kept_rate, promise, served
from economics.serving.request_load import Load, correlated_lengths, equal, steady
from economics.serving.scenarios import Facts, hardware_symbols, model_symbols, smallest_replica
from economics.serving.symbols import Contract, Refinements, RequestShape, Scenario, Transfer
from economics.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK, Array

GPU, MODEL, REPLICAS = "h100-sxm", "llama-3.1-70b", 8
PERCENTILE = 0.99
TPOT_S, LEAST_TTFT_S, TTFT_PROMPTS = 0.05, 1.0, 3.0
"""Contract of a trace: a TPOT bound, and as TTFT bound three times the prompt that 99 % do not exceed, at least a second."""
WINDOW_S = 10.0
OVERLOAD = 2.0
REQUESTS = 6000
"""Of a stream that arrives evenly; one with the rhythm of a trace runs as long as the trace."""
DRAWN, SEED = 4000, 2026
MOST_TRACES = 3
LEAST_TRACE_REQUESTS, LEAST_WINDOWS = 200, 6
PLAIN = Refinements(ttft_coupling=True)
HEADROOM = replace(PLAIN, place_queue=True)
SWITCHES = {"plain sum, TTFT coupling": PLAIN, "with places kept free": HEADROOM}
NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """Where the lengths and the rhythm of a load come from."""

    name: str
    load: Load


def simulated_rows(
    shapes: pl.DataFrame,
    requests: pl.DataFrame,
    *,
    gpu: pl.DataFrame,
    model_shape: pl.DataFrame,
    gpu_price: pl.DataFrame,
) -> Iterator[dict[str, Any]]:
    """Rows of every trace, design and switch. `shapes`: contract `TraceShape`; `requests`: contract `TraceRequest`.

    Of the user's own traces the longest few are used.
    """
    facts = [
        frame.row(by_predicate=pl.col(key) == value, named=True)
        for frame, key, value in ((gpu, "gpu", GPU), (model_shape, "model", MODEL), (gpu_price, "gpu", GPU))
    ]
    for trace in (*shaped_traces(shapes), *own_traces(requests)):
        yield from rows_of(trace, gpu=facts[0], shape=facts[1], price=facts[2])


def shaped_traces(shapes: pl.DataFrame) -> Iterator[Trace]:
    """A trace of drawn lengths for each shape that is shipped."""
    for (name,), part in shapes.group_by("trace", maintain_order=True):
        figures = {key: frame.sort("at") for (key,), frame in part.group_by("quantity")}
        prompts, answers = figures["input_tokens"], figures["output_tokens"]
        input_tokens, output_tokens = correlated_lengths(
            levels=prompts["at"].to_numpy(),
            input_quantiles=prompts["value"].to_numpy(),
            output_quantiles=answers["value"].to_numpy(),
            rank_correlation=figures["rank_correlation"]["value"][0],
            requests=DRAWN,
            seed=SEED,
        )
        windows = figures["requests_in_window"]["value"].to_numpy()
        load = Load(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            intensity=windows / windows.mean(),
            window_s=WINDOW_S,
        )
        yield Trace(name=str(name), load=load)


def own_traces(requests: pl.DataFrame) -> Iterator[Trace]:
    """The longest of the user's traces, with their own lengths; answers of fewer than two tokens are left out."""
    timed = pl.col("arrived_s").is_not_null().all().over("trace_id")
    usable = requests.filter(timed, pl.col("output_tokens") >= 2).sort("arrived_s")
    longest = usable.group_by("trace_id").len().sort("len", "trace_id", descending=[True, False]).head(MOST_TRACES)
    for trace_id in longest.filter(pl.col("len") >= LEAST_TRACE_REQUESTS)["trace_id"]:
        part = usable.filter(pl.col("trace_id") == trace_id)
        counts = np.bincount((part["arrived_s"].to_numpy() // WINDOW_S).astype(np.int64))[:-1]  # the last is unfinished
        if len(counts) >= LEAST_WINDOWS:
            load = Load(
                input_tokens=part["input_tokens"].to_numpy(),
                output_tokens=part["output_tokens"].to_numpy(),
                intensity=counts / counts.mean(),
                window_s=WINDOW_S,
            )
            yield Trace(name=f"own {trace_id}", load=load)


def rows_of(trace: Trace, *, gpu: Facts, shape: Facts, price: Facts) -> Iterator[dict[str, Any]]:
    """Rows of one trace: its mean lengths, its lengths, and its lengths with its rhythm."""
    question = scenario_of_trace(trace.load, gpu=gpu, shape=shape, price=price)
    for architecture in ARCHITECTURES:
        first = promise(question, architecture=architecture, replicas=REPLICAS)
        if first is None:
            continue
        windows = max(int(np.ceil(REQUESTS / first.rate_per_s / WINDOW_S)), LEAST_WINDOWS)
        for kind, load in (
            (f"Poisson, all of the mean length of {trace.name}", equal(trace.load, windows=windows)),
            (f"Poisson, lengths of {trace.name}", steady(trace.load, windows=windows)),
            (f"arrivals and lengths of {trace.name}", trace.load),
        ):
            yield from _rows(kind, load, _with_context(question, load), architecture)


def scenario_of_trace(load: Load, *, gpu: Facts, shape: Facts, price: Facts) -> Scenario:
    """The question that a trace asks, in the means of its lengths, as the closed forms take it."""
    model = model_symbols(shape)
    input_tokens, output_tokens = float(load.input_tokens.mean()), float(load.output_tokens.mean())
    gpus = smallest_replica(gpu=gpu, model=model, context_tokens=load.context_tokens)
    question = Scenario(
        hardware=hardware_symbols(gpu, gpus=gpus, usd_per_gpu_hour=price["usd_per_gpu_hour"]),
        model=model,
        workload=RequestShape(
            input_tokens=input_tokens,
            input_per_output=input_tokens / output_tokens,
            context_tokens=load.context_tokens,
            arrival_rate_per_s=1.0,
        ),
        contract=Contract(ttft_s=LEAST_TTFT_S, tpot_s=TPOT_S, percentile=PERCENTILE, tpot_definition="per_request_mean"),
        transfer=Transfer(bandwidth_bytes_per_s=gpu["nic_bytes_per_s"] * gpus),
        refinements=PLAIN,
    )
    longest_s = float(prefill_times(question).service_s) * float(np.quantile(load.input_tokens, PERCENTILE)) / input_tokens
    ttft_s = max(LEAST_TTFT_S, TTFT_PROMPTS * longest_s)
    return replace(question, contract=replace(question.contract, ttft_s=ttft_s))


def _with_context(question: Scenario, load: Load) -> Scenario:
    return replace(question, workload=replace(question.workload, context_tokens=load.context_tokens))


def _rows(kind: str, load: Load, question: Scenario, architecture: str) -> Iterator[dict[str, Any]]:
    """Rate and cost under every switch; latencies at the rate of the last, where the promise is no gross overload."""
    switches = SWITCHES if architecture != "disaggregated" else dict(list(SWITCHES.items())[:1])
    plain = promise(replace(question, refinements=PLAIN), architecture=architecture, replicas=REPLICAS)
    if plain is None:
        return
    # The switch moves the promise, not the cluster: what that keeps is looked for once.
    rate_kept, promised, contract = kept_rate(plain, load, question, seed=SEED), plain, question.contract
    for words, refinements in switches.items():
        scenario = replace(question, refinements=refinements)
        promised = promise(scenario, architecture=architecture, replicas=REPLICAS) or plain
        horizon_s = len(load.intensity) * load.window_s
        common = {
            "check": "simulation",
            "slice": f"{kind} | {architecture} | {words}",
            "architecture": architecture,
            "gpu": GPU,
            "model": MODEL,
            "workload": kind,
            "basis": "simulated",
            "fitted": NOTHING,
            "n": max(int(rate_kept * horizon_s), 1),
            "method": _method(promised, contract, words, horizon_s),
        }
        usd = promised.gpus * float(scenario.hardware.usd_per_gpu_hour) / SECONDS_PER_HOUR * TOKENS_PER_MTOK
        answer = float(load.output_tokens.mean())
        yield common | {
            "metric": "requests_per_s",
            "unit": "requests_per_s",
            "predicted": promised.rate_per_s,
            "observed": rate_kept,
        }
        yield common | {
            "metric": "usd_per_mtok",
            "unit": "usd_per_mtok",
            "predicted": usd / (promised.rate_per_s * answer),
            "observed": usd / (rate_kept * answer),
        }
    if promised.rate_per_s > OVERLOAD * rate_kept:
        return  # a queue that only grows has no percentile but its length
    found = served(promised.cluster, load, rate_per_s=promised.rate_per_s, seed=SEED)
    for metric, seconds, said in (
        ("p99_ttft", found.ttft_s, float(contract.ttft_s)),
        ("p99_tpot", found.tpot_s[np.isfinite(found.tpot_s)], promised.tpot_s),
    ):
        low, middle, high = p99_with_interval(seconds)
        yield common | {
            "metric": metric,
            "unit": "s",
            "predicted": said,
            "observed": middle,
            "interval_low": low,
            "interval_high": high,
            "n": len(seconds),
        }


def p99_with_interval(values: Array) -> tuple[float, float, float]:
    """The 99th percentile between the order statistics that hold it with 95 %, taking values as independent."""
    spread = 1.96 * np.sqrt(PERCENTILE * (1.0 - PERCENTILE) / len(values))
    ends = np.clip([PERCENTILE - spread, PERCENTILE, PERCENTILE + spread], 0.0, 1.0)
    low, middle, high = np.quantile(values, ends)
    return float(low), float(middle), float(high)


def _method(promised: Promise, contract: Contract, words: str, horizon_s: float) -> str:
    cluster = promised.cluster
    pools = f"{cluster.prefill_replicas} prefill and " if cluster.prefill_replicas else ""
    return (
        f"{words}; {pools}{cluster.replicas} replicas, {promised.gpus:.0f} GPUs, at most {cluster.max_sequences} sequences "
        f"each; p99 TTFT {float(contract.ttft_s):.3g} s and TPOT {float(contract.tpot_s):g} s; seed {SEED}, {horizon_s:.0f} s "
        "of arrivals"
    )

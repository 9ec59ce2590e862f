"""InferenceX (InferenceMAX): API rows, `agg_*.json` files and plain results of its client. Latencies in seconds.

Traps, each found in the data:
- rows of disaggregated systems state input tokens per second per *prefill* GPU and output per *decode* GPU;
- rows of one engine with expert parallelism state GPU counts as tp x ep (64 on 8 GPUs), while throughput per GPU is
  the system's over tp x pp x pcp (pipeline stages, prefill context parallelism);
- one engine over several nodes is described under the prefill keys, with zeros under those of decode;
- a few disaggregated rows state the GPUs of both pools together, under both names; the pools follow from the rates;
- lengths are nominal: answers are about a tenth shorter than `osl`;
- since 2026 rows of `benchmark_type` agentic_traces stand among the others: replayed sessions without nominal lengths.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sources.serving.benchmark_outputs.accelerator import canonical_gpu
from sources.serving.benchmark_outputs.document import Document, objects
from sources.serving.benchmark_outputs.fields import (
    Point,
    RowError,
    count,
    flag,
    latencies,
    load,
    mapping,
    number,
    optional,
    require_answers,
    text,
)
from sources.serving.benchmark_outputs.iso_dates import day
from sources.serving.benchmark_outputs.vllm import goodput, statistic_keys, throughput

NAME = "inferencex"
NOT_KEPT = frozenset[str]()
GPUS = {"h100": "h100-sxm", "h200": "h200-sxm"}
"""Names that leave the product open elsewhere; this source measures the SXM parts (its gpu-specs)."""
SINGLE = "single_turn"
"""Kind of run that sends separate requests of equal length; rows and files from before there were others name none."""
REPRODUCED = 0.01
"""Throughput per GPU is reproduced from the two phases within this share, or the GPU counts are not what they say."""


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Rows of the document with their place in it."""
    return objects(document)


def point(record: Any) -> Point:
    """Operating point of one row. TPOT is (E2E - TTFT)/(n - 1) per request, from a client derived from vLLM's."""
    row = mapping(record, "row")
    row = {**row, **mapping(row.get("metrics"), "metrics")}
    figures: Point = {"tpot_definition": "after_first_token", "percentile_basis": "requests"}
    for name, key in (("ttft", "ttft"), ("tpot", "tpot"), ("itl", "itl"), ("e2e", "e2el")):
        figures |= latencies(row, name, statistic_keys(key, unit=""), scale=1.0)
    return figures | (_client_result(row) if "num_prompts" in row else _row(row))


def _client_result(row: Mapping[str, Any]) -> Point:
    n_requests, duration_s = count(row, "completed"), number(row, "duration", positive=True)
    require_answers(n_requests, number(row, "total_output_tokens"))
    asked = count(row, "num_prompts")
    return {
        "client": text(row, "backend"),
        "model": text(row, "model_id"),
        **optional("measured_on", lambda: day(text(row, "date"), "date")),
        "n_requests": n_requests,
        "n_failed": asked - n_requests if asked is not None and n_requests is not None and asked >= n_requests else None,
        "duration_s": duration_s,
        **load(
            rate=row.get("request_rate"),
            in_flight=number(row, "max_concurrency", positive=True),
            states_in_flight="max_concurrency" in row,
            n_sent=n_requests if asked is None else asked,
            burstiness=number(row, "burstiness", positive=True),
        ),
        **throughput(row, n_requests, duration_s),
        **goodput(row),
    }


def _row(row: Mapping[str, Any]) -> Point:
    gpu = text(row, "hardware") or text(row, "hw")
    is_disaggregated = flag(row, "disagg")
    kind = text(row, "benchmark_type") or SINGLE
    if is_disaggregated is None and "tp" not in row:
        raise RowError("missing_key", "without `disagg` the GPU counts could be pools or one engine", column="disagg")
    point = {
        "source_locator": text(row, "run_url"),
        "engine": text(row, "framework"),
        "engine_basis": "server",
        "engine_version": text(row, "image"),
        "model": text(row, "model"),
        "precision": text(row, "precision"),
        "gpu": gpu,
        "gpu_canonical": _canonical(gpu),
        "architecture": "disaggregated" if is_disaggregated else "colocated",
        "input_tokens_nominal": number(row, "isl"),
        "output_tokens_nominal": number(row, "osl"),
        # The client runs at an unlimited rate with ten requests per client: a closed loop that starts all at once.
        "arrival": "closed_loop" if kind == SINGLE else None,
        "start_burst_bias": True if kind == SINGLE else None,
        "concurrency": number(row, "conc", positive=True),
        "speculative_decoding": text(row, "spec_method") or text(row, "spec_decoding"),
        "power_w_per_gpu": number(row, "avg_power_w", positive=True),
        "joules_per_output_token": number(row, "joules_per_output_token", positive=True),
        "joules_per_total_token": number(row, "joules_per_total_token", positive=True),
        **optional("measured_on", lambda: day(text(row, "date"), "date")),
        **(_pools(row) if is_disaggregated else _engine(row)),
    }
    if kind != SINGLE:
        told = (f"{kind}: sessions of many turns, prompts mostly cached", point["notes"])
        point["notes"] = "; ".join(note for note in told if note)
    return point


def _canonical(gpu: str | None) -> str | None:
    """Canonical GPU of a label, which may go on with the name of a runner: b200-nv, h200_trt."""
    if gpu is None:
        return None
    first = re.split(r"[-_]", gpu.lower())[0]
    return GPUS.get(gpu.lower()) or canonical_gpu(gpu) or GPUS.get(first) or canonical_gpu(first)


def _engine(row: Mapping[str, Any]) -> Point:
    """One engine: its GPUs are tensor x pipeline x prefill context parallelism, by which the source divides throughput."""
    side = "decode" if count(row, "decode_tp") or not count(row, "prefill_tp") else "prefill"
    tp, pp, ep = (count(row, key) or count(row, f"{side}_{key}") or None for key in ("tp", "pp", "ep"))
    dp_attention = flag(row, "dp_attention")
    split = None if tp is None else tp * (pp or 1) * (count(row, "pcp_size") or 1)
    workers = count(row, f"{side}_num_workers") or 1
    stated, gpus, note = count(row, f"num_{side}_gpu") or None, split, None
    if split is not None and stated is not None and workers > 1 and stated == split * workers:
        gpus = stated
    elif split is not None and stated is not None and stated not in (split, split * (ep or 1)):
        gpus, note = None, f"GPU count unknown: {stated} stated for tp {tp}, pp {pp or 1}, ep {ep}"
    elif split is not None and stated is not None and stated != split:
        note = f"the source states {stated} GPUs (tp x ep); throughput per GPU is over {split}"
    return {
        "gpus_total": gpus,
        "tp": tp,
        "pp": pp,
        "ep": ep,
        "dp_attention": flag(row, f"{side}_dp_attention") if dp_attention is None else dp_attention,
        "total_tokens_per_s_per_gpu": number(row, "tput_per_gpu"),
        "input_tokens_per_s_per_gpu": number(row, "input_tput_per_gpu"),
        "output_tokens_per_s_per_gpu": number(row, "output_tput_per_gpu"),
        "notes": note,
    }


def _pools(row: Mapping[str, Any]) -> Point:
    """Two pools. Rates per GPU of a phase become rates per GPU of the whole system."""
    total = number(row, "tput_per_gpu")
    rate_in, rate_out = number(row, "input_tput_per_gpu"), number(row, "output_tput_per_gpu")
    stated = count(row, "num_prefill_gpu", least=1), count(row, "num_decode_gpu", least=1)
    prefill, decode, note = _pool_sizes(stated, total, rate_in, rate_out)
    point: Point = {
        "gpus_total": prefill + decode if prefill and decode else None,
        "gpus_prefill": prefill,
        "gpus_decode": decode,
        "tp": count(row, "decode_tp", least=1),
        "pp": count(row, "decode_pp") or None,
        "ep": count(row, "decode_ep", least=1),
        "dp_attention": flag(row, "decode_dp_attention"),
        "prefill_tp": count(row, "prefill_tp", least=1),
        "prefill_pp": count(row, "prefill_pp") or None,
        "prefill_ep": count(row, "prefill_ep", least=1),
        "prefill_dp_attention": flag(row, "prefill_dp_attention"),
        "prefill_workers": count(row, "prefill_num_workers") or None,
        "decode_workers": count(row, "decode_num_workers") or None,
        "total_tokens_per_s_per_gpu": total,
        "notes": note,
    }
    if prefill and decode and rate_in is not None and rate_out is not None:
        point["input_tokens_per_s_per_gpu"] = rate_in * prefill / (prefill + decode)
        point["output_tokens_per_s_per_gpu"] = rate_out * decode / (prefill + decode)
    if note:
        # The parallelism of such a row may be the whole system's GPU count as well.
        point |= dict.fromkeys(("tp", "ep", "dp_attention", "prefill_tp", "prefill_ep", "prefill_dp_attention"))
    return point


def _pool_sizes(
    stated: tuple[int | None, int | None], total: float | None, rate_in: float | None, rate_out: float | None
) -> tuple[int | None, int | None, str | None]:
    """GPUs of the prefill and decode pool that reproduce the throughput per GPU, and a note where they were derived."""
    prefill, decode = stated
    if prefill is None or decode is None or not total or rate_in is None or rate_out is None:
        return None, None, "GPU counts unknown: without the rates of both phases nothing confirms them"
    reproduced = (rate_in * prefill + rate_out * decode) / (prefill + decode) / total
    if abs(reproduced - 1) <= REPRODUCED:
        return prefill, decode, None
    if prefill == decode and rate_in != rate_out:
        share = prefill * (total - rate_out) / (rate_in - rate_out)
        if abs(share - round(share)) < REPRODUCED and 0 < round(share) < prefill:
            note = f"the source states {prefill} GPUs for each pool; its rates give {round(share)} + {prefill - round(share)}"
            return round(share), prefill - round(share), note
    raise RowError(
        "throughput_not_reproduced",
        f"{prefill} + {decode} GPUs at these rates per phase give {reproduced:.2f} times the stated throughput per GPU",
        column="tput_per_gpu",
        value=total,
        severity="suspect",
    )

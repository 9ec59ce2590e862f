"""What serving engines publish about themselves for Prometheus, under one set of names.

Names differ by engine and were changed by version; an engine that publishes an old and a new name at once is read by the first
of ours. Colons and underscores after the engine's prefix are the same: orchestrators and collectors write either.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]
"""A sample's name and labels."""

COUNTERS: dict[str, dict[str, tuple[str, ...]]] = {
    "vllm": {
        "prompt_tokens": ("vllm_prompt_tokens_total", "vllm_prompt_tokens"),
        "output_tokens": ("vllm_generation_tokens_total", "vllm_generation_tokens"),
        "requests": ("vllm_request_success_total", "vllm_request_success"),
        "cache_queries": (
            "vllm_prefix_cache_queries_total",
            "vllm_gpu_prefix_cache_queries_total",
            "vllm_prefix_cache_queries",
        ),
        "cache_hits": ("vllm_prefix_cache_hits_total", "vllm_gpu_prefix_cache_hits_total", "vllm_prefix_cache_hits"),
        "preemptions": ("vllm_num_preemptions_total",),
    },
    "sglang": {
        "prompt_tokens": ("sglang_prompt_tokens_total",),
        "output_tokens": ("sglang_generation_tokens_total",),
        "requests": ("sglang_num_requests_total",),
        "aborted": ("sglang_num_aborted_requests_total",),
        "cache_hits": ("sglang_cached_tokens_total",),
    },
    "tensorrt_llm": {
        "prompt_tokens": ("trtllm_prompt_tokens_total", "trtllm_prompt_tokens"),
        "output_tokens": ("trtllm_generation_tokens_total", "trtllm_generation_tokens"),
        "requests": ("trtllm_request_success_total", "trtllm_request_success"),
    },
    "llama.cpp": {
        "computed_prompt_tokens": ("llamacpp_prompt_tokens_total",),
        "cache_hits": ("llamacpp_prompt_tokens_cached_total",),
        "output_tokens": ("llamacpp_tokens_predicted_total",),
        "output_seconds": ("llamacpp_tokens_predicted_seconds_total",),
    },
}
GAUGES: dict[str, dict[str, tuple[str, ...]]] = {
    "vllm": {
        "running": ("vllm_num_requests_running",),
        "waiting": ("vllm_num_requests_waiting",),
        "cache_use": ("vllm_kv_cache_usage_perc", "vllm_gpu_cache_usage_perc"),
        "hit_rate": ("vllm_gpu_prefix_cache_hit_rate",),
    },
    "sglang": {
        "running": ("sglang_num_running_reqs",),
        "waiting": ("sglang_num_queue_reqs",),
        "cache_use": ("sglang_token_usage",),
        "hit_rate": ("sglang_cache_hit_rate",),
    },
    "tensorrt_llm": {
        "running": ("trtllm_num_requests_running", "trtllm_num_active_requests"),
        "waiting": ("trtllm_num_requests_waiting", "trtllm_num_queued_requests"),
        "cache_use": ("trtllm_kv_cache_utilization",),
        "hit_rate": ("trtllm_kv_cache_hit_rate",),
    },
    "llama.cpp": {
        "running": ("llamacpp_requests_processing",),
        "waiting": ("llamacpp_requests_deferred",),
        "cache_use": ("llamacpp_kv_cache_usage_ratio",),
    },
}
HISTOGRAMS: dict[str, dict[str, tuple[str, ...]]] = {
    "vllm": {
        "ttft": ("vllm_time_to_first_token_seconds",),
        "tpot": (
            "vllm_request_time_per_output_token_seconds",
            "vllm_inter_token_latency_seconds",
            "vllm_time_per_output_token_seconds",
        ),
        "e2e": ("vllm_e2e_request_latency_seconds",),
    },
    "sglang": {
        "ttft": ("sglang_time_to_first_token_seconds",),
        "tpot": ("sglang_inter_token_latency_seconds", "sglang_time_per_output_token_seconds"),
        "e2e": ("sglang_e2e_request_latency_seconds",),
    },
    "tensorrt_llm": {
        "ttft": ("trtllm_time_to_first_token_seconds",),
        "tpot": ("trtllm_time_per_output_token_seconds",),
        "e2e": ("trtllm_e2e_request_latency_seconds", "trtllm_request_latency_seconds"),
    },
    "llama.cpp": {},
}
PER_REQUEST = ("vllm_request_time_per_output_token_seconds", "trtllm_time_per_output_token_seconds")
"""Histograms of the mean of each request; the others are of every interval between tokens."""
PREFIXES = {"vllm": "vllm_", "sglang": "sglang_", "tensorrt_llm": "trtllm_", "llama.cpp": "llamacpp_"}
PROMETHEUS_SELECTOR = '{__name__=~"(vllm|sglang|trtllm|llamacpp)[:_].*|process_start_time_seconds"}'
NOT_DONE = ("abort", "error", "cancelled")
"""Reasons for which a request ended without its answer."""
START = "process_start_time_seconds"


class NoEngineError(ValueError):
    """A scrape without the metrics of any engine that is read."""


@dataclass(frozen=True, eq=False)
class Scrape:
    """What one server published at one time."""

    at_s: float
    """Unix time; of scrapes of one server only differences count."""
    engine: str
    series: dict[Series, float] = field(default_factory=dict)

    @property
    def models(self) -> tuple[str, ...]:
        """Models that are named."""
        labels = (dict(labels) for _, labels in self.series)
        return tuple(sorted({each[key] for each in labels for key in ("model_name", "model") if each.get(key)}))

    @property
    def started_at_s(self) -> float | None:
        """When the process started, where it says so."""
        return next((value for (name, _), value in self.series.items() if name == START), None)


def parse_scrape(text: str, *, at_s: float) -> Scrape:
    """A scrape from the text that a server answers with. Raises NoEngineError for one without an engine's metrics.

    ValueError for a text that is no exposition. Some servers quote the whole text as one JSON string: it is read all the same.
    """
    if text.startswith('"') and text.rstrip().endswith('"'):
        text = text.strip()[1:-1].replace("\\n", "\n").replace('\\"', '"')
    try:
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except (ValueError, KeyError, IndexError) as error:
        raise NoEngineError(f"no Prometheus metrics: {str(error).splitlines()[0][:80]}") from None
    return scrape_of(samples, at_s=at_s)


def scrape_of(samples: Iterable[Sample], *, at_s: float) -> Scrape:
    """A scrape from samples. Raises NoEngineError where none is of an engine."""
    series: dict[Series, float] = {}
    for sample in samples:
        name = re.sub(r":", "_", sample.name)
        if name == START or name.startswith(tuple(PREFIXES.values())):
            key = (name, tuple(sorted(sample.labels.items())))
            series[key] = series.get(key, 0.0) + float(sample.value) if key in series else float(sample.value)
    published = {engine for name, _ in series for engine, prefix in PREFIXES.items() if name.startswith(prefix)}
    if not published:
        raise NoEngineError("no metric of vLLM, SGLang, TensorRT-LLM or llama.cpp is among them")
    counts = {engine: sum(name.startswith(PREFIXES[engine]) for name, _ in series) for engine in published}
    return Scrape(at_s=at_s, engine=max(sorted(counts), key=lambda each: counts[each]), series=series)


def first_published(scrape: Scrape, names: Iterable[str], *, ending: str = "") -> str | None:
    """The first of the names that the scrape has."""
    there = {name for name, _ in scrape.series}
    return next((name for name in names if name + ending in there), None)

"""A question as it was asked, made exact or refused: names, numbers, number formats."""

import re

from answers.decide.record import METRICS, PERCENTILES, ServingQuestion

PRECISIONS = {
    "bf16": "bf16",
    "fp16": "bf16",
    "fp8": "fp8",
    "nvfp4": "fp4",
    "fp4": "fp4",
    "mxfp4": "mxfp4",
    "int8": "int8",
    "w8a8": "int8",
    "int4": "int4",
    "int4-awq": "int4",
    "awq": "int4",
    "gptq": "int4",
    "int4-gptq": "int4",
}
"""Number formats of weights as people write them, and as the fit knows them."""
KV_BYTES = {
    "bf16": 1.0,
    "fp16": 1.0,
    "auto": 1.0,
    "fp8": 0.5,
    "fp8_e4m3": 0.5,
    "fp8_e5m2": 0.5,
    "int8": 0.5,
    "nvfp4": 0.28125,
    "fp4": 0.28125,
}
"""Bytes of keys and values over those of 16 bits."""
LONGEST_S = {"tpot": 2.0, "ttft": 600.0, "e2e": 36_000.0}
"""Bounds above these look like milliseconds."""
MOST_COPIES = 1_000_000


class QuestionError(ValueError):
    """A question that has no answer as it is asked; the command exits with 2."""

    code = 2


def refuse_absurd(q: ServingQuestion, *, known_rent: str | None = None) -> None:
    """Raise QuestionError for a number outside its domain, with the nearest that is answered, or an unknown word."""
    stated = q.usd_per_gpu_hour
    prices = stated.items() if isinstance(stated, dict) else [("", stated)]
    bound = "any bound above 0 is answered, where no design meets it with the nearest that can be met"
    positive: dict[str, tuple[float | None, str]] = {
        "in": (q.input_tokens, "the shortest prompt is 1 token"),
        "out": (q.output_tokens, "the shortest answer is 1 token"),
        "rate": (
            q.requests_per_s,
            "where nothing arrives no token bears the cost; any rate above 0 is answered, with whole copies",
        ),
        "peak": (q.peak_requests_per_s, "the most requests per second that come"),
        "burstiness": (q.burstiness, "1 is a Poisson stream"),
        "kv-gbps": (q.kv_gbps, "Gbit/s of the network of each GPU"),
        "gpus": (q.gpus, "the GPUs there are"),
        **{name: (getattr(q, name), "1 is none") for name in ("tp", "ep", "pp")},
        "draft-tokens": (q.draft_tokens, "leave it out where nothing is drafted"),
        **{f"price {gpu}".strip(): (usd, known_rent or "what you pay per GPU-hour") for gpu, usd in prices},
        **{f"{metric}-{name}": (getattr(q, f"{metric}_{name}_s"), bound) for metric in METRICS for name in PERCENTILES},
    }
    for name, (number, nearest) in positive.items():
        if number is not None and not 0.0 < float(number) < float("inf"):
            raise QuestionError(f"--{name} must be positive and finite, got {number:g}: {nearest}")
    for name, share in (("prefix-hit", q.prefix_hit_share), ("acceptance", q.draft_acceptance)):
        if share is not None and not 0.0 <= share <= 1.0:
            raise QuestionError(
                f"--{name} is a share from 0 to 1, got {share:g}"
                + (f": did you mean {share / 100:g}?" if 1.0 < share <= 100.0 else "")
            )
    if (q.draft_tokens is None) != (q.draft_acceptance is None):
        raise QuestionError(
            "--draft-tokens and --acceptance belong together: how many are drafted, and how likely each is kept"
        )
    if q.peak_requests_per_s is not None and q.peak_requests_per_s < q.requests_per_s:
        raise QuestionError(
            f"--peak {q.peak_requests_per_s:g} is below --rate {q.requests_per_s:g}: the peak is the higher of both"
        )
    if q.precision is not None and q.precision.lower() not in PRECISIONS:
        raise QuestionError(f"--precision must be one of {', '.join(PRECISIONS)}, got {q.precision}")
    if q.kv_dtype is not None and q.kv_dtype.lower() not in KV_BYTES:
        raise QuestionError(f"--kv-dtype must be one of {', '.join(KV_BYTES)}, got {q.kv_dtype}")
    if q.design not in (None, "colocated", "disaggregated"):
        raise QuestionError(f"--design must be colocated or disaggregated, got {q.design}")
    if q.prefill_gpu is not None and q.design == "colocated":
        raise QuestionError("--prefill-gpu asks for a prefill pool of its own, which --design colocated has not")
    _refuse_bounds(q)


def _refuse_bounds(q: ServingQuestion) -> None:
    stated = [
        (metric, name, getattr(q, f"{metric}_{name}_s"))
        for metric in METRICS
        for name in PERCENTILES
        if getattr(q, f"{metric}_{name}_s") is not None
    ]
    for metric in METRICS:
        mine = [name for one, name, _ in stated if one == metric]
        if len(mine) > 1:
            raise QuestionError(f"one bound on {metric.upper()} at a time: --{metric}-{mine[0]} or --{metric}-{mine[1]}")
    if not stated:
        raise QuestionError(
            "no bound is given: without one any design will do; give --ttft-p99, --tpot-p99 or --e2e-p99, in seconds"
        )
    for metric, name, seconds in stated:
        if seconds > LONGEST_S[metric] and not q.insist:
            raise QuestionError(
                f"--{metric}-{name} {seconds:g} is in seconds: did you mean {seconds / 1000:g}? (--yes takes it as it is)"
            )


LENGTH = re.compile(r"^(?P<mean>[\d.e+]+)(?:~(?P<spread>[\d.]+))?$", re.IGNORECASE)
RANGE = re.compile(r"^(?P<low>\d+)-(?P<high>\d+)$")


def length_meant(option: str, written: str) -> tuple[float, float]:
    """Mean and log spread of a length: `2000`, `2000~0.8` (mean and standard deviation of its logarithm), `500-4000` (even).

    Raises QuestionError for anything else.
    """
    if found := RANGE.match(written.strip()):
        low, high = float(found["low"]), float(found["high"])
        if 0 < low < high:
            mean = (low + high) / 2.0
            return mean, (high - low) / 12.0**0.5 / mean
    if found := LENGTH.match(written.strip()):
        return float(found["mean"]), float(found["spread"] or 0.0)
    raise QuestionError(f"{option} {written}: a number of tokens, mean~spread such as 2000~0.8, or a range such as 500-4000")


def with_prices(prices: list[str]) -> float | dict[str, float] | None:
    """The rents of `--price`: one number for all, or GPU=USD for each. Raises QuestionError for anything else."""
    by_gpu: dict[str, float] = {}
    for each in prices:
        gpu, _, usd = each.rpartition("=")
        try:
            by_gpu[gpu] = float(usd)
        except ValueError:
            raise QuestionError(f"--price {each}: a number of USD per GPU-hour, or GPU=USD such as h100-sxm=2.10") from None
    if "" in by_gpu and len(by_gpu) > 1:
        raise QuestionError("--price is one number for all GPUs, or GPU=USD for each")
    return by_gpu.get("") if "" in by_gpu else (by_gpu or None)

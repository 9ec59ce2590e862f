"""From what a record states to rows of core.operating_point: rates per GPU, closure of latencies, priceability."""

from collections.abc import Sequence

import polars as pl

from schemas.base import empty, polars_schema
from schemas.quarantine import Rejected
from schemas.serving.benchmark_outputs import LATENCIES, STATISTICS, OperatingPoint
from sources.prices.gpu_names import named
from sources.prices.model_map import resolve
from sources.prices.model_spelling import ANY
from sources.serving.benchmark_outputs.accelerator import canonical_gpu
from sources.serving.benchmark_outputs.fields import Point, RowError, doubts
from sources.serving.benchmark_outputs.run_meta import RunMeta, join_notes, with_meta

KINDS_OF_TOKENS = ("input", "output", "total")
CLOSES = 0.15
"""TPOT, TTFT and tokens make the end-to-end latency within this share, or the TPOT is not believed."""
IN_ONE_UNIT = (0.5, 2.0)
SAME_TIME = 1e-3
FASTEST_STREAM_S = 1e-4
ONE_PIECE = 0.1
FAILED_SHARE = 0.01
SAME_LENGTHS = 0.1
ASKED = (0.75, 1.25)
"""Mean answer over the one asked for; InferenceMAX's uniform lengths stand at .9."""
SAME_RATE = 0.05
"""A rate per GPU times the GPUs is the rate of the system within this share."""


def complete(stated: Point, meta: RunMeta | None) -> Point:
    """Fill what follows from the stated figures and the user's metadata; RowError where they contradict each other."""
    stated, doubted = doubts(stated)
    point = with_meta(stated, meta)
    point["basis"] = point.get("basis") or "measured"
    _name_gpu(point)
    point["engine_basis"] = point.get("engine_basis") if point.get("engine") else None
    _count_gpus(point)
    _rates(point)
    doubted += _output_rate(point)
    if (point.get("attainment") or 0) > 1:
        share = point["attainment"]
        raise RowError("attainment_above_one", "more good requests than requests", column="attainment", value=share)
    doubted += not_streamed(point, stated_ttft_is_zero=any(reason.startswith("ttft is zero") for reason in doubted))
    point["latency_closure"] = latency_closure(point)
    doubted += tpot_that_closes(point)
    doubted += _failures(point)
    doubted += _lengths(point)
    point["notes"] = join_notes(point.get("notes"), *doubted)
    has_rate = any(point.get(f"{kind}_tokens_per_s_per_gpu") for kind in KINDS_OF_TOKENS)
    has_price = point.get("gpu_canonical") is not None or point.get("usd_per_gpu_hour") is not None
    point["priceable"] = has_rate and has_price
    return point


def not_streamed(point: Point, *, stated_ttft_is_zero: bool) -> list[str]:
    """Drop the latencies of a run whose answers did not come token by token; what was dropped, in words.

    The client saw no first token of its own where TTFT is zero (then none of its times is believed), where TTFT is the end of
    the answer, or where all tokens but the first came in its last tenth at under a tenth of a millisecond each.
    """
    ttft, tpot, e2e = (point.get(f"{name}_mean_s") or point.get(f"{name}_p50_s") for name in ("ttft", "tpot", "e2e"))
    answer = point.get("output_tokens_mean") or point.get("output_tokens_nominal")
    names: tuple[str, ...] = ()
    why = ""
    if stated_ttft_is_zero:
        names, why = LATENCIES, "TTFT is zero"
    elif ttft and e2e and abs(ttft / e2e - 1) < SAME_TIME and (answer or 2) > 1.5:
        names, why = ("ttft", "tpot", "itl"), "TTFT is the end of the answer"
    elif tpot is not None and tpot < FASTEST_STREAM_S and ttft and e2e and ttft > (1 - ONE_PIECE) * e2e:
        names, why = ("ttft", "tpot", "itl"), f"TPOT of {tpot * 1e3:.3g} ms"
    dropped = [f"{name}_{statistic}_s" for name in names for statistic in STATISTICS if point.get(f"{name}_{statistic}_s")]
    point |= dict.fromkeys(dropped)
    return [f"nothing streamed ({why}): its latencies are not believed"] if why else []


def tpot_that_closes(point: Point) -> list[str]:
    """Replace a TPOT that does not fit the file's own end-to-end latency by the one that does; what was replaced, in words.

    Within 15 % means of requests of unequal length can differ. Beyond a factor of two the figures may be in other units, which
    is judged later (plausibility). The mean that takes its place has its own basis, and no percentiles.
    """
    closure, tpot = point.get("latency_closure"), point.get("tpot_mean_s")
    stated = [f"tpot_{statistic}_s" for statistic in STATISTICS]
    if all(point.get(column) is None for column in stated):
        return []
    if closure is None and point.get("tpot_needs_closure"):
        point |= dict.fromkeys(stated)
        return ["TPOT is not believed: this tool may count events for tokens, and no end-to-end latency confirms it"]
    point["tpot_basis"] = "stated"
    if tpot is None:
        return []
    ttft, e2e, answer = point.get("ttft_mean_s"), point.get("e2e_mean_s"), point.get("output_tokens_mean")
    is_known = ttft is not None and e2e is not None and answer is not None and answer > 1 and e2e > ttft
    fit = closure
    if point.get("tpot_needs_closure") and ttft is not None and e2e is not None and answer is not None and is_known:
        # A long wait for the first token would hide a wrong time per token: the part after it has to close by itself.
        fit = tpot * (answer - 1) / (e2e - ttft)
    if closure is None or fit is None or abs(fit - 1) <= CLOSES or not IN_ONE_UNIT[0] <= closure <= IN_ONE_UNIT[1]:
        return []
    point |= dict.fromkeys(stated)
    point["tpot_basis"] = "from_e2e" if is_known else None
    if ttft is None or e2e is None or answer is None or not is_known:
        return [f"a stated TPOT of {tpot * 1e3:.3g} ms does not close with the end-to-end latency and is not believed"]
    computed = (e2e - ttft) / (answer - 1)
    point |= {"tpot_mean_s": computed, "tpot_definition": "after_first_token"}
    return [
        f"a stated TPOT of {tpot * 1e3:.3g} ms gives {closure:.0%} of the end-to-end latency and is not believed; "
        f"{computed * 1e3:.3g} ms is computed from TTFT, end-to-end latency and tokens"
    ]


def _output_rate(point: Point) -> list[str]:
    """Rate of output tokens from that of all tokens and both lengths, where it is not stated; how, in words."""
    point["output_rate_basis"] = None
    if point.get("output_tokens_per_s") is not None or point.get("output_tokens_per_s_per_gpu") is not None:
        point["output_rate_basis"] = "stated"
        return []
    tokens_in, tokens_out = (
        next((length for length in (point.get(f"{kind}_tokens_mean"), point.get(f"{kind}_tokens_nominal")) if length), None)
        for kind in ("input", "output")
    )
    together = point.get("total_tokens_mean")
    if tokens_out is not None and tokens_in is None and together is not None and together > tokens_out:
        tokens_in = together - tokens_out
    if tokens_in is None or tokens_out is None:
        return []
    if together is not None and abs((tokens_in + tokens_out) / together - 1) > SAME_LENGTHS:
        reason = f"{tokens_in:.6g} + {tokens_out:.6g} tokens a request are not the {together:.6g} of the file"
        raise RowError("meta_contradicts_file", reason, column="output_tokens_nominal", value=tokens_out)
    share = tokens_out / (tokens_in + tokens_out)
    for ending in ("_tokens_per_s", "_tokens_per_s_per_gpu"):
        total = point.get(f"total{ending}")
        if total is not None:
            point |= {f"output{ending}": total * share, f"input{ending}": total * (1 - share)}
            point["output_rate_basis"] = "from_total"
    if point["output_rate_basis"] is None:
        return _rate_of_a_batch(point, tokens_out)
    return [f"output rate from that of all tokens and lengths of {tokens_in:.6g} and {tokens_out:.6g}"]


def _rate_of_a_batch(point: Point, tokens_out: float) -> list[str]:
    """Rate of a batch that is computed as a whole, one after the other: its tokens over its time."""
    batch, whole_s = point.get("concurrency"), point.get("e2e_mean_s")
    if not point.get("is_one_batch") or batch is None or not whole_s:
        return []
    point["output_tokens_per_s"] = batch * tokens_out / whole_s
    point["requests_per_s"] = batch / whole_s
    point["output_rate_basis"] = "from_total"
    _rates(point)
    return [f"output rate of batches of {batch:.6g} answers of {tokens_out:.6g} tokens"]


def _failures(point: Point) -> list[str]:
    """Share of the requests sent that failed; a warning where it is not small."""
    done, failed = point.get("n_requests"), point.get("n_failed")
    if done is None or failed is None or not done + failed:
        return []
    point["failed_share"] = failed / (done + failed)
    return [f"{point['failed_share']:.1%} of the requests failed"] if point["failed_share"] > FAILED_SHARE else []


def _lengths(point: Point) -> list[str]:
    """Say where answers are much shorter or longer than they were asked for."""
    asked, given = point.get("output_tokens_nominal"), point.get("output_tokens_mean")
    if not asked or given is None or ASKED[0] <= given / asked <= ASKED[1]:
        return []
    what = "answers ended early" if given < asked else "more tokens came than were asked for"
    return [f"{what}: {given:.6g} tokens of {asked:.6g}"]


def latency_closure(point: Point) -> float | None:
    """(TTFT + TPOT (n - 1)) / E2E of the means; for a TPOT over all tokens, TPOT n / E2E. None without all figures.

    Exact for one request; over requests of different length the means differ from it by a few per cent.
    """
    ttft, tpot, e2e = (point.get(f"{name}_mean_s") for name in ("ttft", "tpot", "e2e"))
    n = point.get("output_tokens_mean")
    if tpot is None or not e2e or n is None:
        return None
    if point.get("tpot_definition") == "over_all_tokens":
        return float(tpot * n / e2e)
    if point.get("tpot_definition") != "after_first_token" or ttft is None or n < 1:
        return None
    return float((ttft + tpot * (n - 1)) / e2e)


def _name_gpu(point: Point) -> None:
    """Canonical GPU and how it is known: the source's own rule, the name itself, or the usual product of that name."""
    if point.get("gpu_canonical"):
        point["gpu_basis"] = "named" if canonical_gpu(point.get("gpu")) == point["gpu_canonical"] else "source"
        return
    found = named(point.get("gpu"))
    point["gpu_canonical"], point["gpu_basis"] = found.gpu, found.basis


def _count_gpus(point: Point) -> None:
    total, prefill, decode = (point.get(f"gpus_{pool}") for pool in ("total", "prefill", "decode"))
    if prefill is None or decode is None:
        return
    if total is None:
        point["gpus_total"] = prefill + decode
    elif total != prefill + decode:
        raise RowError(
            "gpu_counts_do_not_add_up",
            f"{prefill} prefill and {decode} decode GPUs are not {total}",
            column="gpus_total",
            value=total,
        )


def _rates(point: Point) -> None:
    """Rates per GPU from rates of the system and the other way round; the total from its two parts."""
    for ending in ("_tokens_per_s", "_tokens_per_s_per_gpu"):
        parts = point.get(f"input{ending}"), point.get(f"output{ending}")
        if point.get(f"total{ending}") is None and None not in parts:
            point[f"total{ending}"] = sum(part for part in parts if part is not None)
    gpus = point.get("gpus_total")
    if gpus is None:
        return
    for kind in KINDS_OF_TOKENS:
        whole, per_gpu = f"{kind}_tokens_per_s", f"{kind}_tokens_per_s_per_gpu"
        if point.get(per_gpu) is None and point.get(whole) is not None:
            point[per_gpu] = point[whole] / gpus
        elif point.get(whole) is None and point.get(per_gpu) is not None:
            point[whole] = point[per_gpu] * gpus
        elif point.get(whole) and abs(point[per_gpu] * gpus / point[whole] - 1) > SAME_RATE:
            raise RowError(
                "rates_contradict_gpus",
                f"{per_gpu} times {gpus} GPUs is not {whole}",
                column=per_gpu,
                value=point[per_gpu],
            )


def point_frame(points: Sequence[Point]) -> pl.DataFrame:
    """Rows of core.operating_point, NULL where a point says nothing."""
    schema = polars_schema(OperatingPoint)
    if not points:
        return empty(OperatingPoint)
    frame = pl.DataFrame([[point.get(name) for name in schema] for point in points], schema=schema, orient="row")
    return frame.with_columns(model_canonical=canonical_models(frame["source"], frame["model"]))


def canonical_models(source: pl.Series, model: pl.Series) -> pl.Series:
    """Canonical models, such as llama-2-70b, from the names that formats write; NULL where a name is not known."""
    ids = pl.DataFrame({"source": source, "source_provider": [ANY] * len(model), "source_model": model})
    return resolve(ids, listed=False)["model"]


def rejection(source: str, row_key: str, error: RowError) -> dict[str, object]:
    """One entry of the `Rejected` contract for a record that was refused."""
    return {
        "source": source,
        "row_key": row_key,
        "column_name": error.column,
        "value": error.value,
        "rule": error.rule,
        "reason": error.reason,
        "severity": error.severity,
        "n_rows": 1,
    }


def rejection_frame(entries: Sequence[dict[str, object]]) -> pl.DataFrame:
    """Rows of the `Rejected` contract."""
    return pl.DataFrame(list(entries), schema=polars_schema(Rejected)) if entries else empty(Rejected)

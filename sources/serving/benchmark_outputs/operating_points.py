"""From what a record states to rows of core.operating_point: rates per GPU, closure of latencies, priceability."""

from collections.abc import Sequence

import polars as pl

from schemas.base import empty, polars_schema
from schemas.quarantine import Rejected
from schemas.serving.benchmark_outputs import OperatingPoint
from sources.prices.gpu_names import named
from sources.prices.model_map import resolve
from sources.prices.model_spelling import ANY
from sources.serving.benchmark_outputs.accelerator import canonical_gpu
from sources.serving.benchmark_outputs.fields import Point, RowError
from sources.serving.benchmark_outputs.run_meta import RunMeta, with_meta

KINDS_OF_TOKENS = ("input", "output", "total")
SAME_RATE = 0.05
"""A rate per GPU times the GPUs is the rate of the system within this share."""


def complete(stated: Point, meta: RunMeta | None) -> Point:
    """Fill what follows from the stated figures and the user's metadata; RowError where they contradict each other."""
    point = with_meta(stated, meta)
    point["basis"] = point.get("basis") or "measured"
    _name_gpu(point)
    _count_gpus(point)
    _rates(point)
    if (point.get("attainment") or 0) > 1:
        share = point["attainment"]
        raise RowError("attainment_above_one", "more good requests than requests", column="attainment", value=share)
    point["latency_closure"] = latency_closure(point)
    has_rate = any(point.get(f"{kind}_tokens_per_s_per_gpu") for kind in KINDS_OF_TOKENS)
    has_price = point.get("gpu") is not None or point.get("usd_per_gpu_hour") is not None
    point["priceable"] = has_rate and has_price
    return point


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
    return resolve(ids)["model"]


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

"""What hosting the model costs on each GPU: the instance that serves the load for least, and from which volume it pays."""

import numpy as np
import polars as pl

from answers.host_or_call.record import Call, Host, HostOrCallError, HostOrCallQuestion
from answers.host_or_call.rents import Rent
from answers.host_or_call.tables import Tables
from answers.host_or_call.weighing import Case
from assets.serving.engine_parts import FORMATS
from assets.serving.hosting_options import instances_of, with_capacity
from economics.serving.hosting import (
    HOURS_PER_MONTH,
    busy_usd_per_request,
    held_peak_factor,
    instances_at,
    reserved_usd_per_request,
)
from economics.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK, Array

DAY_S = 86_400.0
BASES = ("own", "group", "family", "none")
"""What an instance's step times rest on, the nearest evidence first: a design is taken from the first that has one."""


def precision_of(q: HostOrCallQuestion, stored_as: dict[str, str | None]) -> str:
    """The number format asked for, else that of the checkpoint, else bf16. Raises HostOrCallError for an unknown one."""
    if q.precision is not None and q.precision not in FORMATS:
        raise HostOrCallError(f"--precision must be one of {', '.join(FORMATS)}, got {q.precision}")
    stored = stored_as.get(q.model)
    return q.precision or (stored if stored in FORMATS else "bf16")


def hosts_of(q: HostOrCallQuestion, rents: list[Rent], *, precision: str, call: Call | None, known: Tables) -> list[Host]:
    """The best instance on each GPU, held against a call; the cheapest first, those that cannot meet the contract last."""
    if not rents:
        return []
    asked = pl.DataFrame(
        [
            {
                "model": q.model,
                "gpu": rent.gpu,
                "precision": precision,
                "engine": q.engine,
                "input_tokens": q.input_tokens,
                "output_tokens": q.output_tokens,
                "prefix_hit_share": q.cached_share,
                "ttft_s": q.ttft_p99_s,
                "tpot_s": q.tpot_p99_s,
                "usd": rent.usd_per_gpu_hour,
            }
            for rent in rents
        ],
        schema_overrides={"engine": pl.String},
    )
    instances = instances_of(asked, known.fit)
    if instances.is_empty():
        return [_without(rent, precision, "its weights by group are not known: the model cannot be timed") for rent in rents]
    found = _as_measured(with_capacity(instances, known.fit, tails=known.tails), known)
    by_gpu = {rent.gpu: found.filter(pl.col("gpu") == rent.gpu) for rent in rents}
    hosts = [_host(q, rent, by_gpu[rent.gpu], precision=precision, call=call) for rent in rents]
    return sorted(hosts, key=lambda host: (host.usd_per_month is None, host.usd_per_month or 0.0, host.gpu))


def _as_measured(options: pl.DataFrame, known: Tables) -> pl.DataFrame:
    """Capacities times what one's own runs reached over what is predicted."""
    if not known.measured:
        return options
    times = pl.col("gpu").replace_strict(known.measured, default=1.0, return_dtype=pl.Float64)
    rates = ["requests_per_s", "requests_per_s_low", "requests_per_s_high"]
    return options.with_columns(pl.col(name) * times for name in rates)


def _best(q: HostOrCallQuestion, options: pl.DataFrame) -> dict[str, object] | None:
    """The instance that holds the peak for least, of those with the nearest evidence."""
    able = options.filter("feasible", pl.col("requests_per_s") > 0)
    if able.is_empty():
        return None
    held = float(held_peak_factor(peak_factor=q.load.peak_factor, batch_share=q.batch_share))
    count = instances_at(rate_per_s=q.load.mean_per_s, peak_factor=held, capacity_per_s=able["requests_per_s"].to_numpy())
    rank = pl.col("basis").replace_strict({name: place for place, name in enumerate(BASES)}, return_dtype=pl.Int64)
    costed = able.with_columns(instances=pl.Series(np.asarray(count)), rank=rank.clip(1))
    gpus = pl.col("instances") * pl.col("gpus")
    return costed.sort("rank", gpus, pl.col("requests_per_s") / pl.col("gpus"), descending=[False, False, True]).row(
        0, named=True
    )


def _host(q: HostOrCallQuestion, rent: Rent, options: pl.DataFrame, *, precision: str, call: Call | None) -> Host:
    best = _best(q, options)
    if best is None:
        return _without(rent, precision, _why_not(options))
    found = Case(q=q, rent=rent, best=best, call=call)
    rate, tokens = q.load.mean_per_s, q.input_tokens + q.output_tokens
    count, month = found.instances(found.capacity), found.usd_per_month(found.capacity, rent.usd_per_gpu_hour)
    reserved = reserved_usd_per_request(usd_per_month=month, rate_per_s=rate)
    busy = busy_usd_per_request(usd_per_instance_hour=found.gpus * rent.usd_per_gpu_hour, capacity_per_s=found.capacity)
    drawn = found.draws()
    even = None if call is None else found.break_even(found.capacity, rent.usd_per_gpu_hour, call.usd_per_request)
    accuracy = q.accuracy.get(q.model)
    day = None if even is None else _finite(even.for_good_per_s * DAY_S)
    return Host(
        gpu=rent.gpu,
        term=rent.term,
        usd_per_gpu_hour=rent.usd_per_gpu_hour,
        low_usd_per_gpu_hour=rent.low,
        high_usd_per_gpu_hour=rent.high,
        engine=str(best["engine"]),
        precision=precision,
        gpus_per_instance=int(found.gpus),
        dp_attention=bool(best["dp_attention"]),
        capacity_per_s=found.capacity,
        low_capacity_per_s=found.ends[0] if found.ends else None,
        high_capacity_per_s=found.ends[1] if found.ends else None,
        limit=str(best["limit"]),
        basis=str(best["basis"]),
        nearest_run=None if best["nearest_run"] is None else str(best["nearest_run"]),
        instances=int(count),
        usd_per_month=float(month),
        low_usd_per_month=_finite(drawn.month[0]) if drawn else None,
        high_usd_per_month=_finite(drawn.month[1]) if drawn else None,
        usd_per_mtok_reserved=float(reserved / tokens * TOKENS_PER_MTOK),
        usd_per_mtok_busy=float(busy / tokens * TOKENS_PER_MTOK),
        utilisation=float(rate / (count * found.capacity)),
        scaled_usd_per_month=found.scaled_usd_per_month(),
        break_even_per_day=day,
        low_break_even_per_day=_finite(drawn.even[0] * DAY_S) if drawn and call else None,
        high_break_even_per_day=_finite(drawn.even[1] * DAY_S) if drawn and call else None,
        first_break_even_per_day=None if even is None else _finite(even.first_per_s * DAY_S),
        break_even_mtok_per_month=None if day is None else day * HOURS_PER_MONTH / 24.0 * tokens / TOKENS_PER_MTOK,
        break_even_utilisation=None if even is None else _finite(even.utilisation),
        least_utilisation=None if even is None else float(even.least_utilisation),
        chance_cheaper=drawn.chance if drawn and call else None,
        moves_it_most=found.moves_it_most() if call else None,
        reason=None,
        usd_per_correct=None if accuracy is None else float(reserved) / accuracy,
    )


def _why_not(options: pl.DataFrame) -> str:
    if options.is_empty():
        return "its weights by group, or the GPU, are not known: the model cannot be timed"
    nearest = options.filter(pl.col("tpot_least_s").is_not_null()).sort("tpot_least_s", "ttft_least_s")
    reasons = sorted(set(options["reason"].drop_nulls()))
    said = "; ".join(reasons) or "no request is served within the contract"
    if nearest.is_empty():
        return said
    row = nearest.row(0, named=True)
    least = f"p99 TTFT {row['ttft_least_s']:.3g} s and TPOT {row['tpot_least_s']:.3g} s"
    return f"{said}: the least is {least}, on {row['gpus']:.0f} GPUs"


def _without(rent: Rent, precision: str, reason: str) -> Host:
    figures = (
        "engine gpus_per_instance capacity_per_s low_capacity_per_s high_capacity_per_s limit basis nearest_run instances "
        "usd_per_month low_usd_per_month high_usd_per_month usd_per_mtok_reserved usd_per_mtok_busy utilisation "
        "scaled_usd_per_month break_even_per_day low_break_even_per_day high_break_even_per_day first_break_even_per_day "
        "break_even_mtok_per_month break_even_utilisation least_utilisation chance_cheaper moves_it_most"
    )
    return Host(
        gpu=rent.gpu,
        term=rent.term,
        usd_per_gpu_hour=rent.usd_per_gpu_hour,
        low_usd_per_gpu_hour=rent.low,
        high_usd_per_gpu_hour=rent.high,
        precision=precision,
        dp_attention=False,
        reason=reason,
        **dict.fromkeys(figures.split()),
    )


def _finite(value: float | Array) -> float | None:
    return float(value) if np.isfinite(value) else None


def requests_per_month(q: HostOrCallQuestion) -> float:
    """Requests of a month at the mean rate."""
    return q.load.mean_per_s * SECONDS_PER_HOUR * HOURS_PER_MONTH

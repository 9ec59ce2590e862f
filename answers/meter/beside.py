"""What the warehouse says beside a metered server: its rent, its predicted saturation, and the same traffic at API prices."""

from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl

from answers.host_or_call.calls import calls_of, priced_models
from answers.host_or_call.hosts import precision_of
from answers.host_or_call.loads import load_of
from answers.host_or_call.record import HostOrCallQuestion
from answers.host_or_call.rents import rents_of
from answers.host_or_call.tables import Tables, tables_of
from answers.meter.record import Asked, Cost, Headroom, Metered
from answers.names import UnknownNameError, gpu_meant, model_meant
from assets.serving.hosting_options import with_capacity
from economics.serving.hosting import HOURS_PER_MONTH, Hosting, break_even, busy_usd_per_request
from economics.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK

DAY_S = 86_400.0


def beside(seen: Metered, asked: Asked, *, warehouse: Path) -> Metered:
    """The figures with cost, headroom and the API's bill, as far as all is known; else notes say why not."""
    with duckdb.connect(str(warehouse.resolve()), read_only=True) as connection:
        notes = [*seen.notes]
        model = _model(connection, seen, notes)
        gpu = _gpu(connection, asked, notes)
        seen = replace(seen, model=model)
        has_traffic = bool(seen.requests_per_s and seen.input_tokens_mean and seen.output_tokens_mean)
        if not has_traffic or gpu is None or model is None:
            return replace(seen, notes=tuple(notes))
        known = tables_of(connection)
        q = _question(seen, asked, model=model, gpu=gpu)
        gpus = asked.gpus or seen.replicas
        headroom = _headroom(seen, q, known, gpus=gpus)
        rents, missing = rents_of(connection, q)
        if not rents:
            return replace(seen, headroom=headroom, notes=(*notes, f"rent of {gpu}: {missing[gpu]}"))
        call = next((each for each in calls_of(connection, q) if not each.doubts), None)
    usd = rents[0].usd_per_gpu_hour
    rate = seen.requests_per_s or 0.0
    tokens = q.input_tokens + q.output_tokens
    saturation = headroom.saturation_per_s
    busy = None if not saturation else busy_usd_per_request(usd_per_instance_hour=gpus * usd, capacity_per_s=saturation)
    even = None
    if saturation and call is not None:
        even = break_even(
            Hosting(
                usd_per_instance_hour=gpus * usd,
                capacity_per_s=saturation,
                peak_factor=1.0,
                usd_per_request=call.usd_per_request,
            )
        ).first_per_s
    return replace(
        seen,
        headroom=headroom,
        cost=Cost(
            gpu=gpu,
            gpus=gpus,
            usd_per_gpu_hour=usd,
            rent=rents[0].said,
            usd_per_mtok_reserved=gpus * usd / SECONDS_PER_HOUR / (rate * tokens) * TOKENS_PER_MTOK,
            usd_per_mtok_busy=None if busy is None else float(busy) / tokens * TOKENS_PER_MTOK,
            usd_per_month=gpus * usd * HOURS_PER_MONTH,
            api_usd_per_mtok=None if call is None else call.usd_per_mtok,
            api_usd_per_month=None if call is None else call.usd_per_month,
            api_seller=None if call is None else call.seller,
            break_even_per_day=None if even is None or even == float("inf") else float(even) * DAY_S,
            requests_per_day=rate * DAY_S,
        ),
        notes=tuple(notes),
    )


def _question(seen: Metered, asked: Asked, *, model: str, gpu: str) -> HostOrCallQuestion:
    return HostOrCallQuestion(
        model=model,
        input_tokens=seen.input_tokens_mean or 1.0,
        output_tokens=seen.output_tokens_mean or 1.0,
        load=load_of(requests_per_s=seen.requests_per_s or 1.0, peak=None, profile=None),
        ttft_p99_s=asked.ttft_p99_s,
        tpot_p99_s=asked.tpot_p99_s,
        cached_share=min(seen.prefix_hit_share or 0.0, 0.999),
        gpus=(gpu,),
        usd_per_gpu_hour=asked.usd_per_gpu_hour,
        precision=asked.precision,
        engine=seen.engine,
    )


def _headroom(seen: Metered, q: HostOrCallQuestion, known: Tables, *, gpus: int) -> Headroom:
    """Predicted saturation of the servers: equal replicas, each tensor parallel over its GPUs."""
    each = max(gpus / seen.replicas, 1.0)
    system = {
        "model": q.model,
        "gpu": q.gpus[0],
        "engine": seen.engine,
        "precision": precision_of(q, known.stored_as),
        "gpus": each,
        "tp": each,
        "input_tokens": q.input_tokens,
        "output_tokens": q.output_tokens,
        "prefix_hit_share": q.cached_share,
        "ttft_s": q.ttft_p99_s,
        "tpot_s": q.tpot_p99_s,
    }
    row = with_capacity(pl.DataFrame([system]), known.fit, tails=known.tails).row(0, named=True)
    ends = [row[name] for name in ("requests_per_s", "requests_per_s_low", "requests_per_s_high")]
    value, low, high = (None if end is None else end * seen.replicas for end in ends)
    return Headroom(
        seen_per_s=seen.requests_per_s or 0.0,
        saturation_per_s=value,
        low_per_s=low,
        high_per_s=high,
        limit=row["limit"],
        basis=row["basis"],
        reason=row["reason"],
    )


def _model(connection: duckdb.DuckDBPyConnection, seen: Metered, notes: list[str]) -> str | None:
    if seen.model_written is None:
        notes.append("the server names no model, or several: --model says which, for cost and headroom")
        return None
    shapes = [str(row[0]) for row in connection.execute("SELECT model FROM core.model_shape").fetchall()]
    try:
        meant = model_meant(seen.model_written, sorted({*shapes, *priced_models(connection)}))
    except UnknownNameError as error:
        notes.append(f"{error}; --model says which, for cost and headroom")
        return None
    return meant.key


def _gpu(connection: duckdb.DuckDBPyConnection, asked: Asked, notes: list[str]) -> str | None:
    if asked.gpu is None:
        notes.append("no metric says which GPUs these are: --gpu and --gpus do, for cost and headroom")
        return None
    meant = gpu_meant(asked.gpu, [str(row[0]) for row in connection.execute("SELECT gpu FROM core.gpu").fetchall()])
    if meant.note:
        notes.append(meant.note)
    return meant.key

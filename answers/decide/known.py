"""What a question is answered from: the fit, measured tails, accelerators and what an hour of each costs."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from answers.decide.asked import PRECISIONS, QuestionError
from answers.decide.record import ServingQuestion
from answers.names import UnknownNameError, gpu_meant, model_meant
from answers.predict.answer import Evidence, evidence_of
from answers.rents import rent_on
from assets.serving.engine_contract import tails_of
from assets.serving.engine_names import MXFP4_MODELS

Facts = dict[str, Any]

FORMAT_PEAKS = {"fp8": "fp8_flop_per_s", "fp4": "fp4_flop_per_s"}
"""Number formats that an accelerator must multiply in itself, and the column that says so; others are widened to 16 bits."""
ANY = "any"
RENTS = """
    SELECT gpu, term::VARCHAR AS term, median(usd_per_gpu_hour) AS usd_per_gpu_hour,
        min(usd_per_gpu_hour) AS low_usd_per_gpu_hour, max(usd_per_gpu_hour) AS high_usd_per_gpu_hour,
        count(DISTINCT provider) AS sellers, max(day) AS valid_from,
        string_agg(DISTINCT source, ', ' ORDER BY source) AS sources
    FROM ({}) GROUP BY ALL
"""
CURRENT = RENTS.format(
    "SELECT *, valid_from AS day FROM core.gpu_rent_current "
    "WHERE gpu IS NOT NULL AND status = 'believed' AND statistic = 'price'"
)
BY_DAY = RENTS.format(
    "SELECT *, as_of AS day FROM core.gpu_rent_daily WHERE instance_type IS NULL AND statistic IN ('price', 'median') "
    "QUALIFY as_of = max(as_of) OVER (PARTITION BY gpu, term)"
)
PRICED = "SELECT *, term::VARCHAR AS term FROM core.gpu_price"
ORDER = ("on_demand", "marketplace", "rental_index", "reserved_3y_or_retail", "stated")
"""Terms by which an accelerator without a usual rent is priced, the first that is known."""


@dataclass(frozen=True, eq=False)
class Known:
    """Everything that is looked up for a question."""

    evidence: Evidence
    tails: pl.DataFrame
    gpus: dict[str, Facts]
    """Rows of core.gpu."""
    shape: Facts
    """Row of core.model_shape."""
    rents: dict[str, Facts]
    """What an hour costs, with its term, by accelerator asked for; those without a rent are absent."""
    measured: dict[str, dict[str, float]]
    """Measured over predicted by accelerator and quantity, of a table of the user's own runs."""
    notes: tuple[str, ...]
    """What was taken for what."""


def known_for(q: ServingQuestion, warehouse: Path) -> tuple[ServingQuestion, Known]:
    """The question in known names, and what is known of it. Raises QuestionError for a name or a rent that is not known."""
    config, accelerator = (Path(file) if file else None for file in (q.config, q.accelerator))
    try:
        evidence = evidence_of(warehouse, config=config, accelerator=accelerator)
    except ValueError as error:
        raise QuestionError(str(error)) from None
    own_gpu, own_shape = _own(config, accelerator)
    with duckdb.connect(str(warehouse.resolve()), read_only=True) as connection:
        gpus = {row["gpu"]: row for row in _rows(connection, "FROM core.gpu")}
        if own_gpu is not None:
            gpus |= {row["gpu"]: row for row in own_gpu.to_dicts()}
        q, notes = _in_known_names(q, evidence, gpus, own_gpu)
        shape = own_shape or _rows(connection, "FROM core.model_shape WHERE model = ?", q.model)[0]
        q = replace(q, model=shape["model"])
        q = replace(q, precision=_precision(q, shape))
        rents = _rents(connection, q, gpus)
        runs = connection.sql(
            "SELECT run_id, kind::VARCHAR AS kind, engine, family, model, gpu, usable FROM marts.engine_run WHERE usable"
        ).pl()
        points = connection.sql("SELECT run_id, tpot_p50_s, tpot_p99_s FROM core.operating_point WHERE tpot_p99_s > 0").pl()
    if q.gpus_named == (ANY,):
        q = replace(q, gpu=tuple(sorted(gpus)))
    return q, Known(
        evidence=evidence,
        tails=tails_of(runs, points),
        gpus=gpus,
        shape=shape,
        rents=rents,
        measured=_measured(q, evidence),
        notes=notes,
    )


def _own(config: Path | None, accelerator: Path | None) -> tuple[pl.DataFrame | None, Facts | None]:
    """The accelerator and the shape of the model that the user brought."""
    if config is None and accelerator is None:
        return None, None
    from answers.predict.own import own_accelerator, own_model  # noqa: PLC0415  # it brings the orchestrator: a second

    return (
        own_accelerator(accelerator) if accelerator else None,
        own_model(config)[0].to_dicts()[0] if config else None,
    )


def _measured(q: ServingQuestion, evidence: Evidence) -> dict[str, dict[str, float]]:
    if q.measured is None:
        return {}
    from answers.decide.own_table import multipliers  # noqa: PLC0415  # it reads files, by a library that takes a while

    return multipliers(Path(q.measured), evidence, model=q.model)


def _precision(q: ServingQuestion, shape: Facts) -> str:
    """Number format of the weights: as asked, else as the checkpoint is stored; MXFP4 where the model only exists in it."""
    if MXFP4_MODELS.search(q.model) and (q.precision or "mxfp4").lower() in ("mxfp4", "nvfp4", "fp4"):
        return "mxfp4"
    return PRECISIONS[(q.precision or shape["stored_as"] or "bf16").lower()]


def lacks_format(gpu: Facts, precision: str) -> str | None:
    """In one line, that an accelerator does not multiply in a number format; None where it does, or weights are widened."""
    column = FORMAT_PEAKS.get(precision)
    if column is None or gpu.get(column) is not None:
        return None
    has = [name for name in ("bf16", "fp8", "fp4") if gpu.get(f"{name}_flop_per_s") is not None]
    written = {"fp4": "nvfp4"}.get(precision, precision)
    return f"{gpu['gpu']} has no {written} peak: it multiplies in {', '.join(has)}; choose another --precision"


def _in_known_names(
    q: ServingQuestion, evidence: Evidence, gpus: dict[str, Facts], own: pl.DataFrame | None
) -> tuple[ServingQuestion, tuple[str, ...]]:
    notes: list[str] = []

    def gpu(written: str) -> str:
        if own is not None and written in ("own", str(own["gpu"][0])):
            return str(own["gpu"][0])
        meant = gpu_meant(written, gpus)
        notes.extend([meant.note] if meant.note else [])
        return meant.key

    try:
        named = (ANY,) if ANY in q.gpus_named else tuple(dict.fromkeys(gpu(each) for each in q.gpus_named))
        prefill = gpu(q.prefill_gpu) if q.prefill_gpu else None
        prices = q.usd_per_gpu_hour
        if isinstance(prices, dict):
            prices = {gpu(each): usd for each, usd in prices.items()}
        model = q.model
        if q.config is None:
            try:
                model = model_meant(q.model, evidence.stored_as).key
            except UnknownNameError:
                model = evidence.labels.models.get(q.model, "")
                if model not in evidence.stored_as:
                    raise
    except UnknownNameError as error:
        raise QuestionError(str(error)) from None
    return replace(q, gpu=named, prefill_gpu=prefill, usd_per_gpu_hour=prices, model=model), tuple(dict.fromkeys(notes))


def _rents(connection: duckdb.DuckDBPyConnection, q: ServingQuestion, gpus: dict[str, Facts]) -> dict[str, Facts]:
    """The rent of every accelerator: as stated, of a past day, of a term, or today's usual one."""
    stated = q.usd_per_gpu_hour
    asked = tuple(gpus) if q.gpus_named == (ANY,) else (*q.gpus_named, *((q.prefill_gpu,) if q.prefill_gpu else ()))
    if q.rent_day:
        if stated is not None:
            raise QuestionError("--price states the rent and --rent-day looks it up: give one of both")
        return {gpu: rent for gpu in asked if (rent := _rent_of_day(connection, gpu, q)) is not None}
    if q.rent_statistic:
        raise QuestionError("--rent-statistic is of a day: give --rent-day")
    found: dict[str, Facts] = {}
    by_term = [row for sql in (CURRENT, BY_DAY) for row in _rows(connection, sql)]
    usual = {row["gpu"]: row for row in _rows(connection, PRICED)}
    for gpu in asked:
        mine = {row["term"]: row for row in reversed(by_term) if row["gpu"] == gpu}
        if q.rent_term:
            rent = mine.get(q.rent_term)
            if rent is None and q.gpus_named != (ANY,) and stated is None:
                raise QuestionError(
                    f"no {q.rent_term} rent of {gpu} is known; known are {', '.join(sorted(mine)) or 'none'}: give --price"
                )
        else:
            rent = usual.get(gpu) or next((mine[term] for term in (*ORDER, *sorted(mine)) if term in mine), None)
        price = stated.get(gpu) if isinstance(stated, dict) else stated
        if price is not None:
            rent = {
                "usd_per_gpu_hour": price,
                "low_usd_per_gpu_hour": price,
                "high_usd_per_gpu_hour": price,
                "term": "as you stated it",
                "sellers": 0,
                "valid_from": None,
                "sources": None,
            }
        if rent is not None:
            found[gpu] = rent
    return found


def _rent_of_day(connection: duckdb.DuckDBPyConnection, gpu: str, q: ServingQuestion) -> Facts | None:
    try:
        day = date.fromisoformat(str(q.rent_day))
        return rent_on(connection, gpu, day=day, term=q.rent_term, statistic=q.rent_statistic)
    except ValueError as error:
        if q.gpus_named == (ANY,):
            return None
        raise QuestionError(f"--rent-day: {error}") from None


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, *parameters: Any) -> list[Facts]:
    found = connection.execute(sql, list(parameters))
    columns = [column[0] for column in found.description or []]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

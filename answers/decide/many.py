"""Many questions in one table, and questions whose lengths are those of a trace."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from answers.decide.answer import decide
from answers.decide.asked import QuestionError
from answers.decide.record import ServingQuestion
from answers.decide.text import row_of
from answers.names import unknown
from answers.query import connect

NORMAL_90 = 1.2816
RENAMED = {
    "in": "input_tokens",
    "out": "output_tokens",
    "rate": "requests_per_s",
    "price": "usd_per_gpu_hour",
    "term": "rent_term",
}
"""Options of the command whose columns have another name in a question."""
WORDS = (
    "model",
    "gpu",
    "precision",
    "kv_dtype",
    "engine",
    "design",
    "prefill_gpu",
    "rent_day",
    "rent_term",
    "rent_statistic",
    "config",
    "accelerator",
    "measured",
)
"""Fields that are text."""
COUNTED = ("tp", "ep", "pp", "gpus")
ANSWER = {
    "answer": pl.String,
    "gpu_chosen": pl.String,
    "engine_chosen": pl.String,
    "parallelism": pl.String,
    "copies": pl.Int64,
    "gpus_needed": pl.Int64,
    "prefill_gpus": pl.Int64,
    "decode_gpus": pl.Int64,
    "usd_per_hour": pl.Float64,
    "usd_per_mtok_output": pl.Float64,
    "low_usd_per_mtok_output": pl.Float64,
    "high_usd_per_mtok_output": pl.Float64,
    "usd_per_request": pl.Float64,
    "rent_term": pl.String,
    "chance_cheapest": pl.Float64,
    "basis": pl.String,
    "reason": pl.String,
}


@dataclass(frozen=True, kw_only=True)
class TraceShape:
    """What a trace asks for in the mean."""

    input_tokens: float
    output_tokens: float
    requests_per_s: float | None
    spread: tuple[float, float]
    """Standard deviation of the logarithm of both lengths, of a log-normal with the trace's median and 90th percentile."""
    in_words: str


def decide_table(rows: pl.DataFrame, *, warehouse: Path | None = None) -> pl.DataFrame:
    """The rows, in order, with ANSWER. Columns are fields of a question, or the options of the command without dashes.

    A row that cannot be answered has its `reason` and no figures. Raises ValueError for a column that no question has.
    """
    known = {field.name for field in fields(ServingQuestion)}
    names = {name: _field(name, known) for name in rows.columns}
    answers = [_one({names[name]: value for name, value in row.items()}, warehouse) for row in rows.iter_rows(named=True)]
    found = pl.DataFrame([{**dict.fromkeys(ANSWER), **answer} for answer in answers], schema=ANSWER)
    return pl.concat([rows.drop(list(ANSWER), strict=False), found], how="horizontal")


def trace_named(warehouse: Path, name: str) -> TraceShape:
    """Lengths and rate of an ingested trace, by its file's name or its id. Raises QuestionError with those there are."""
    with connect(warehouse) as connection:
        found = connection.execute("FROM core.workload").fetchall()
        columns = [column[0] for column in connection.description or []]
    traces = [dict(zip(columns, row, strict=True)) for row in found]
    stem = Path(name).name
    mine = [row for row in traces if row["file_name"] == stem or row["trace_id"].startswith(name)]
    if len(mine) != 1:
        names = [row["file_name"] for row in traces]
        told = (
            unknown("trace", name, [], names)
            if names
            else f"unknown trace {name}: none was ingested; `iecon ingest {name}` takes it in"
        )
        raise QuestionError(f"--trace: {told}")
    row = mine[0]
    return TraceShape(
        input_tokens=row["input_tokens_mean"],
        output_tokens=row["output_tokens_mean"],
        requests_per_s=row["requests_per_s"],
        spread=(_spread(row, "input"), _spread(row, "output")),
        in_words=f"lengths and rate: {row['n_requests']:,} requests of your trace {row['file_name']}",
    )


def _spread(row: dict[str, Any], which: str) -> float:
    middle, late = (row[f"{which}_tokens_{name}"] for name in ("p50", "p90"))
    return float(np.log(late / middle) / NORMAL_90) if middle and late and late > middle else 0.0


def _field(column: str, known: set[str]) -> str:
    plain = column.lstrip("-").replace("-", "_")
    for name in (plain, RENAMED.get(plain, ""), f"{plain}_s", f"{plain}_share"):
        if name in known:
            return name
    raise ValueError(f"column {column} is no part of a question; known are {', '.join(sorted(known))}")


def _read(name: str, value: Any) -> Any:
    """A cell as its field takes it: files hold text. QuestionError for a number that is none."""
    if not isinstance(value, str) or name in WORDS:
        return value if value != "" else None
    text = value.strip()
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        number = float(text) if text else None
    except ValueError:
        raise QuestionError(f"{name}: {text} is not a number") from None
    return int(number) if number is not None and name in COUNTED else number


def _one(stated: dict[str, Any], warehouse: Path | None) -> dict[str, Any]:
    try:
        cells = {name: _read(name, value) for name, value in stated.items()}
        question = ServingQuestion(**{name: value for name, value in cells.items() if value is not None})
        return row_of(decide(question, warehouse=warehouse))
    except (TypeError, ValueError) as error:
        return {"reason": str(error).removeprefix("ServingQuestion.__init__() ")}

"""The public Python package: ask the published warehouse in SQL, ask its questions, and call its closed forms by name.

    import iecon
    iecon.sql("SELECT model, cpm_usd_per_mtok FROM marts.price_frontier")     # a polars frame
    iecon.decide(model="llama-3.1-70b", gpu="h100-sxm", ...)                  # a record, as `iecon decide --json` prints it
    iecon.forms.wilson_interval(successes=16, trials=30)                      # a closed form: arrays in, arrays out

`data` is the data folder everywhere; without it ECONOMICS_DATA, then the usual place, as for the command.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from iecon import forms

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from answers.decide.record import Decision
    from answers.folders import TableChange
    from answers.host_or_call.record import HostOrCallDecision
    from answers.route.record import Decision as RouteDecision

__all__ = ["changes", "decide", "forms", "host_or_call", "open", "predict", "route", "sql"]


def release(data: Path | str | None = None) -> Path:
    """The latest published file of a data folder. Raises FileNotFoundError before the first refresh."""
    from warehouse.folder import data_root  # noqa: PLC0415

    root = Path(data).expanduser().resolve() if data is not None else data_root()
    latest = root / "releases" / "latest.duckdb"
    if not latest.exists():
        raise FileNotFoundError(f"no warehouse in {root} yet: run `iecon refresh` first")
    return latest


def open(data: Path | str | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the latest release, which keeps that release however many refreshes follow.

    It reaches no other file and no network. Raises FileNotFoundError before the first refresh.
    """
    from answers.query import connect  # noqa: PLC0415

    return connect(release(data))


def sql(query: str, parameters: dict[str, Any] | list[Any] | None = None, *, data: Path | str | None = None) -> pl.DataFrame:
    """The rows of one statement as a polars frame; `parameters` fill `?` or `$name`.

    Raises duckdb.Error for bad SQL, FileNotFoundError before the first refresh.
    """
    with open(data) as connection:
        rows: pl.DataFrame = connection.sql(query, params=parameters).pl()
    return rows


def decide(*, data: Path | str | None = None, **question: Any) -> Decision:
    """The cheapest serving design within a contract, by the fields of `answers.decide.record.ServingQuestion`.

    Raises ValueError for a question that has no answer as it is asked.
    """
    from answers.decide.answer import decide as decision_for  # noqa: PLC0415
    from answers.decide.record import ServingQuestion  # noqa: PLC0415

    return decision_for(ServingQuestion(**question), warehouse=release(data))


def host_or_call(
    *, model: str, data: Path | str | None = None, route: Path | str | None = None, **asked: Any
) -> HostOrCallDecision:
    """Whether to host a model or to call it. `asked` are the arguments of `answers.host_or_call.asked.question_of`.

    Those are rate, input_tokens, output_tokens, ttft_p99_s, tpot_p99_s, peak, cached, gpus and so on, as the options of
    `iecon host-or-call`. Raises ValueError for a question that has no answer as it is asked.
    """
    from answers.host_or_call.answer import host_or_call as decision_of  # noqa: PLC0415
    from answers.host_or_call.asked import question_of  # noqa: PLC0415

    warehouse = release(data)
    question = question_of(warehouse, model=model, **asked)
    return decision_of(question, warehouse=warehouse, table=None if route is None else Path(route))


def predict(
    rows: pl.DataFrame,
    *,
    config: Path | str | None = None,
    accelerator: Path | str | None = None,
    data: Path | str | None = None,
) -> pl.DataFrame:
    """The rows with what a serving engine would do: output rate, TPOT and TTFT with intervals, basis, nearest run and cost.

    Columns are those of `iecon predict`. Raises ValueError for a table without the columns model and gpu.
    """
    from answers.predict.answer import predict as predict_rows  # noqa: PLC0415

    own = [Path(file) if file is not None else None for file in (config, accelerator)]
    return predict_rows(rows, warehouse=release(data), config=own[0], accelerator=own[1])


def route(*files: Path | str, data: Path | str | None = None, **asked: Any) -> RouteDecision:
    """Which model should answer which question on one's own outcomes, whether a router pays, and what is promised.

    `asked` are fields of `answers.route.record.Asked` (what must be kept) and of `answers.route.answer.Options` (how the files
    are read). Raises ValueError for a table that cannot be judged, or options that do not fit it.
    """
    from dataclasses import fields  # noqa: PLC0415

    from answers.route.answer import Options  # noqa: PLC0415
    from answers.route.answer import decide as decision_of  # noqa: PLC0415
    from answers.route.record import Asked  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    root = Path(data).expanduser().resolve() if data is not None else data_root()
    kept = {field.name for field in fields(Asked)}
    options = Options(warehouse=root / "releases" / "latest.duckdb", **{k: v for k, v in asked.items() if k not in kept})
    question = Asked(**{name: value for name, value in asked.items() if name in kept})
    return decision_of([Path(file) for file in files], asked=question, options=options)


def changes(before: Path | str, after: Path | str) -> list[TableChange]:
    """How each table differs between two data folders: rows gone, rows new, columns whose values moved."""
    from answers.folders import changes as changes_of  # noqa: PLC0415

    return changes_of(Path(before), Path(after))

"""Predictions for a table of runs from the latest published warehouse.

`predict` is the function for a frame, `predict_batches` for tables that do not fit into memory. Both add, for M in
output_tokens_per_s_per_gpu, tpot_p50_s, ttft_p50_s and ttft_p99_s, M_predicted, M_low and M_high, and what these rest on.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from answers.predict.described import Labels, described
from assets.serving.engine_answers import Fit, answered, fit_of
from assets.serving.engine_runs import QUANTITIES
from warehouse.folder import data_root

SECONDS_PER_HOUR = 3600.0
MOST_REASONS = 5
ROWS_AT_ONCE = 100_000
"""Rows of a table that are answered together: their arrays take some 200 MB."""
UNMEASURED = "no run of this engine on this family of accelerators was measured: no share of runs is claimed for an interval"
_LABELS = """
    SELECT {0}, any_value({0}_canonical) FROM core.operating_point
    WHERE {0}_canonical IS NOT NULL GROUP BY 1 HAVING count(DISTINCT {0}_canonical) = 1
"""
FIGURES = tuple(f"{name}_{end}" for name in QUANTITIES for end in ("predicted", "low", "high"))
ADDED = (
    *FIGURES,
    "basis",
    "nearest_run",
    "nearest_distance",
    "usd_per_mtok_output",
    "usd_term",
    "counted_gpus",
    "assumed",
    "reason",
)
"""Columns that an answer adds, in order; a column of the table that has one of these names is replaced."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What predictions are made from."""

    fit: Fit
    stored_as: dict[str, str | None]
    gpus: tuple[str, ...]
    labels: Labels
    rents: pl.DataFrame
    """gpu, usd_per_gpu_hour, usd_term."""


def predict(
    rows: pl.DataFrame, *, warehouse: Path | None = None, config: Path | None = None, accelerator: Path | None = None
) -> pl.DataFrame:
    """The rows, in order, with ADDED. `config`: config.json of your own model; `accelerator`: JSON of one row of core.gpu.

    Raises FileNotFoundError before the first refresh, ValueError for a table without model or gpu and for unreadable own files.
    """
    evidence = evidence_of(warehouse, config=config, accelerator=accelerator)
    parts = [with_answers(part, evidence) for part in rows.iter_slices(ROWS_AT_ONCE)]
    return pl.concat(parts) if parts else with_answers(rows, evidence)


def predict_batches(batches: Iterator[pl.DataFrame], evidence: Evidence) -> Iterator[pl.DataFrame]:
    """Answers batch by batch, for tables that do not fit into memory."""
    for batch in batches:
        for part in batch.iter_slices(ROWS_AT_ONCE):
            yield with_answers(part, evidence)


def evidence_of(warehouse: Path | None = None, *, config: Path | None = None, accelerator: Path | None = None) -> Evidence:
    """Read the fit from a published warehouse, with a model or an accelerator of the user's own beside the known ones."""
    file = warehouse or data_root() / "releases" / "latest.duckdb"
    if not file.exists():
        raise FileNotFoundError(f"no warehouse at {file} yet: run `iecon refresh` first")
    with duckdb.connect(str(file.resolve()), read_only=True) as connection:
        tables = {
            name: connection.sql(f"FROM {layer}.{name}").pl().with_columns(pl.selectors.categorical().cast(pl.String))
            for layer, name in (
                ("core", "model_shape"),
                ("core", "model_layer"),
                ("core", "gpu"),
                ("marts", "engine_run"),
                ("marts", "prediction_interval"),
            )
        }
        labels = Labels(*(dict(connection.sql(_LABELS.format(name)).fetchall()) for name in ("model", "gpu")))
        rents = connection.sql("SELECT gpu, usd_per_gpu_hour, term::VARCHAR AS usd_term FROM core.gpu_price").pl()
    if config is not None:
        from answers.predict.own import own_model  # noqa: PLC0415  # it brings the orchestrator, which takes a second

        shape, layers = own_model(config)
        tables["model_shape"] = pl.concat(
            [tables["model_shape"].join(shape, on="model", how="anti"), shape], how="diagonal_relaxed"
        )
        tables["model_layer"] = pl.concat(
            [tables["model_layer"].join(shape, on="model", how="anti"), layers], how="diagonal_relaxed"
        )
    if accelerator is not None:
        from answers.predict.own import own_accelerator  # noqa: PLC0415

        device = own_accelerator(accelerator)
        tables["gpu"] = pl.concat([tables["gpu"].join(device, on="gpu", how="anti"), device], how="diagonal_relaxed")
    return Evidence(
        fit=fit_of(**tables),
        stored_as=dict(tables["model_shape"].select("model", "stored_as").iter_rows()),
        gpus=tuple(tables["gpu"]["gpu"]),
        labels=labels,
        rents=rents,
    )


def with_answers(rows: pl.DataFrame, evidence: Evidence) -> pl.DataFrame:
    """The rows with ADDED."""
    runs = described(rows, models=evidence.stored_as, gpus=evidence.gpus, labels=evidence.labels)
    readable = pl.col("reason").is_null()
    # A row that cannot be read is asked with unknown lengths: it keeps its place and gets no figure.
    asked = runs.with_columns(input_tokens=pl.when(readable).then("input_tokens"))
    answers = answered(asked.drop("assumed", "reason"), evidence.fit).rename({"distance": "nearest_distance"})
    found = pl.concat([runs.select("gpu", "gpus", "assumed", "reason"), answers], how="horizontal")
    usd_per_s = pl.col("usd_per_gpu_hour") / SECONDS_PER_HOUR * pl.coalesce("gpus", "counted_gpus")
    rate = pl.col("output_tokens_per_s_per_gpu_predicted") * pl.col("counted_gpus")
    silent = pl.col("output_tokens_per_s_per_gpu_predicted").is_null()
    complete = found.join(evidence.rents, on="gpu", how="left", maintain_order="left").with_columns(
        usd_per_mtok_output=usd_per_s / rate * 1e6,
        usd_term=pl.when(~silent).then("usd_term"),
        reason=pl.coalesce(
            "reason",
            pl.when(silent).then(pl.lit("counts of the model's weights by group are not known: its shape cannot be timed")),
            pl.when(pl.col("basis") == "none").then(pl.lit(UNMEASURED)),
        ),
    )
    return pl.concat([rows.drop(ADDED, strict=False), complete.select(ADDED)], how="horizontal")


class Tally:
    """Counts of what was answered while batches pass, for one line of words at the end."""

    def __init__(self) -> None:
        self._rows = 0
        self._bases: Counter[str] = Counter()
        self._silent: Counter[str] = Counter()

    def of(self, batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The same batches, counted as they pass."""
        for batch in batches:
            self._rows += batch.height
            self._bases.update(dict(batch["basis"].drop_nulls().value_counts().iter_rows()))
            silent = batch.filter(pl.col("output_tokens_per_s_per_gpu_predicted").is_null())
            self._silent.update(dict(silent["reason"].value_counts().iter_rows()))
            yield batch

    def words(self) -> list[str]:
        """How many rows were answered, on which basis, and why others were not."""
        answered_rows = sum(self._bases.values())
        basis = ", ".join(f"{count} {name}" for name, count in self._bases.most_common())
        lines = [f"{answered_rows} of {self._rows} rows answered" + (f" (basis: {basis})" if basis else "")]
        lines += [f"{count} not answered: {reason}" for reason, count in self._silent.most_common(MOST_REASONS)]
        left = sum(count for _, count in self._silent.most_common()[MOST_REASONS:])
        return [*lines, f"{left} more not answered, see the column reason"] if left else lines

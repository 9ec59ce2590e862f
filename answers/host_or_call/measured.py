"""A table of one's own runs as multipliers of capacity: what these servers reach over what is predicted of them."""

from pathlib import Path

import polars as pl

from answers.host_or_call.record import HostOrCallError
from answers.host_or_call.tables import Tables
from answers.predict.answer import Evidence, evidence_of, with_answers
from answers.predict.described import described
from answers.predict.files import read_batches
from assets.serving.engine_runs import NAMES
from assets.serving.hosting_options import with_capacity

RATE = "output_tokens_per_s_per_gpu"
SATURATED = 0.95
"""Of the offered rate: a run that serves less is full, and tells what its server can do. One that serves all tells nothing."""
UNBOUND_S = 1e6


def multipliers(file: Path, *, warehouse: Path, model: str, known: Tables) -> dict[str, float]:
    """Measured over predicted, the median of the runs of a model that say something, by accelerator.

    The table is one that `iecon predict` takes, with the column `output_tokens_per_s_per_gpu` as measured. Runs at a rate are
    held against the capacity without bounds where they were full; runs with so many requests in flight against the prediction
    at that. Raises HostOrCallError for a table without either.
    """
    try:
        evidence = evidence_of(warehouse)
        rows = pl.concat(list(read_batches(file)), how="diagonal_relaxed")
    except ValueError as error:
        raise HostOrCallError(f"--measured: {error}") from None
    if RATE not in rows.columns:
        raise HostOrCallError(f"--measured {file}: column {RATE} is missing: what the runs reached")
    runs = described(rows, models=evidence.stored_as, gpus=evidence.gpus, labels=evidence.labels)
    asked = runs.with_columns(measured=rows[RATE].cast(pl.Float64, strict=False)).with_row_index("place")
    mine = asked.filter(pl.col("model") == model, pl.col("measured") > 0)
    offered = pl.col("request_rate_per_s") * pl.col("output_tokens") / pl.coalesce("gpus", pl.lit(1.0))
    full = mine.filter(pl.col("concurrency").is_null(), pl.col("measured") < SATURATED * offered)
    loops = mine.filter(pl.col("concurrency").is_not_null() | pl.col("request_rate_per_s").is_null())
    ratios = pl.concat([_of_full(full, known), _of_loops(loops, rows, evidence)]).drop_nulls()
    if ratios.is_empty():
        raise HostOrCallError(
            f"--measured {file}: no run of {model} in it says what its server can do: a run at a rate has to be full (serve "
            f"less than {SATURATED:.0%} of what is offered), others state how many requests are in flight"
        )
    return dict(ratios.group_by("gpu").agg(pl.col("ratio").median()).iter_rows())


def _of_full(runs: pl.DataFrame, known: Tables) -> pl.DataFrame:
    """Runs that were full, against the most their servers serve without any bound."""
    if runs.is_empty():
        return _NOTHING
    systems = runs.drop("request_rate_per_s", "concurrency", "requests").with_columns(
        *(pl.lit(None, pl.Float64).alias(name) for name in ("request_rate_per_s", "concurrency", "requests")),
        ttft_s=pl.lit(UNBOUND_S),
        tpot_s=pl.lit(UNBOUND_S),
        **{name: pl.col(name) for name in NAMES},
    )
    found = with_capacity(systems, known.fit, tails=known.tails)
    return found.select("gpu", ratio=pl.col("measured") / pl.col(RATE))


def _of_loops(runs: pl.DataFrame, rows: pl.DataFrame, evidence: Evidence) -> pl.DataFrame:
    """Runs of so many in flight, against the prediction at that."""
    if runs.is_empty():
        return _NOTHING
    predicted = with_answers(rows[runs["place"]], evidence)[f"{RATE}_predicted"]
    return runs.select("gpu", ratio=pl.col("measured") / predicted)


_NOTHING = pl.DataFrame(schema={"gpu": pl.String, "ratio": pl.Float64})

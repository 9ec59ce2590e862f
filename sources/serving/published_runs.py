"""Runs that others measured, as transcribed: every `transcribed/measured_*.csv` that its citation gives to this table.

A file has only the columns that its publisher states; what throughput means in it stands in its `.source.yaml`.
"""

import hashlib
import io

import polars as pl

from schemas.base import empty, polars_schema
from schemas.quarantine import Parsed, Rejected
from schemas.serving.published_runs import PublishedRun
from sources.document import documents_of
from sources.source import Snapshot, refuses_in_words

SOURCES = documents_of("raw.published_run")
DIGITS = 4
"""Two rows that agree in so many digits of their rate and of both latencies are one run, whoever states it."""
SIZE = ("gpus", "concurrency", "request_rate_per_s")
RATES = ("total_tokens_per_s_per_gpu", "output_tokens_per_s_per_gpu")
LATENCIES = (("ttft_p50_s", "ttft_mean_s"), ("tpot_p50_s", "tpot_mean_s"))


@refuses_in_words
def parse(snapshot: Snapshot) -> Parsed:
    """Read one document's runs (contract `PublishedRun`). Nothing is refused here: the contract judges each row."""
    rows = pl.read_csv(io.BytesIO(snapshot.body), infer_schema=False).with_row_index("line", offset=2)
    columns = polars_schema(PublishedRun)
    stated = rows.with_columns(
        source=pl.lit(snapshot.source),
        row_id=pl.format("{} line {}", pl.lit(snapshot.source), "line"),
        run_id=pl.lit(""),
        **{name: pl.lit(None, pl.String) for name in columns if name not in (*rows.columns, "source", "row_id", "run_id")},
    )
    typed = stated.select(
        (pl.col(name) == "1").alias(name)
        if kind == pl.Boolean
        else pl.col(name).cast(pl.Float64).cast(kind)
        if kind.is_integer()
        else pl.col(name).cast(kind)
        for name, kind in columns.items()
    )
    return Parsed(typed.with_columns(run_id=identities(typed, unique="row_id")), empty(Rejected))


def identities(runs: pl.DataFrame, *, unique: str) -> pl.Series:
    """Identity of each run by its own facts: size, load, rate and latencies; else by the text in the column `unique`.

    A capture of an API and an aggregate of the same run name the model and the version differently, so names are no part.
    """
    facts = pl.concat_str(
        [
            *(pl.coalesce(pl.col(name).cast(pl.Float64).round_sig_figs(6).cast(pl.String), pl.lit("")) for name in SIZE),
            *(pl.coalesce(*names).round_sig_figs(DIGITS).cast(pl.String) for names in (RATES, *LATENCIES)),
        ],
        separator="|",
    )
    stated = runs.select(pl.coalesce(facts, unique)).to_series()
    return pl.Series([hashlib.sha256(text.encode()).hexdigest()[:16] for text in stated], dtype=pl.String)

"""Evaluation logs of other tools as a table of outcomes: what `iecon correct` reads, `iecon route` reads too."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from answers.correct.prices import price
from answers.route.files import ROW
from answers.route.prices import Prices
from sources.test_time.evaluation_logs import read_logs
from sources.test_time.evaluation_logs.record import SUBJECT

PLAIN = "plain_table"


def rows_of_logs(files: list[Path], *, prices: Prices) -> pl.LazyFrame | None:
    """A row per attempt of the model that answers; None where no file is such a log.

    An attempt that broke is a wrong answer. Its cost is what the log states, else its tokens at list prices; of judges,
    simulated users and thrown-away tries nothing is counted.
    """
    read = read_logs(files)
    warehouse = prices.warehouse if prices.warehouse is not None and prices.warehouse.exists() else None
    today = datetime.now(UTC).date()
    parts = [
        price(log.records, warehouse=warehouse, price_date=prices.day, today=today).records
        for log in read.logs
        if log.kind == "attempts" and log.format != PLAIN
    ]
    if not parts:
        return None
    rows = pl.concat(parts, how="diagonal_relaxed").filter(pl.col("role") == SUBJECT, pl.col("made"))
    broke = pl.col("error").is_not_null() & pl.col("correct").is_null()
    return (
        rows.select(
            item=pl.concat_str("benchmark", "item", separator=":"),
            model="model",
            correct=pl.when(broke).then(0.0).otherwise("correct"),
            cost_usd="priced_usd",
            input_tokens=pl.col("input_tokens").cast(pl.Float64),
            output_tokens=pl.col("output_tokens").cast(pl.Float64),
            category="benchmark",
            answer="answer",
            **({"group": pl.col("group")} if rows["group"].null_count() < rows.height else {}),
        )
        .lazy()
        .with_row_index(ROW, offset=2)
    )

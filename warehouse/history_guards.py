"""What is not believed at once, and what makes it believed: the rules that both kinds of history share.

A figure is held where it is a unit slip away from the last one, or where its document lost most of its rows. It is confirmed
by a later document of the same source that repeats it, or by another source that agrees, and then counts from the day it
was first seen.
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from schemas.base import empty
from schemas.quarantine import Parsed, Rejected, reject

JUMP_FACTOR = 20.0
"""A figure this many times another is more often a unit slip than news."""
REVERT_WINDOW = timedelta(days=14)
"""A figure that goes and comes back within this time was most likely an error in between."""
CORRECTION_WINDOW = timedelta(days=7)
"""A figure that a jump replaced within this time, and the jump was confirmed, was most likely the error itself."""
SHRINK_FLOOR = 0.7
"""A document with fewer rows than this share of the last one has most likely lost rows by accident."""
AGREEMENT = 1.05
"""Another source within this factor confirms a figure; so does a repetition in a later document."""
SAME = 1e-9
"""Relative difference below which two figures are one."""
HISTORY_COLUMNS = (
    "observed_at",
    "missing_since",
    "end_confirmed_on",
    "withdrawn_on",
    "status",
    "held_by",
    "confirmed_on",
    "confirmed_by",
)
"""Columns that the history adds to what a source says."""
JUMP, SHRUNK = "jump_20x", "mass_disappearance"


def refuse_conflicts(observed: pl.DataFrame, *, key: list[str], value: str) -> Parsed:
    """One row per series and first day. Of two figures for one the first stays."""
    once = observed.unique([*key, "valid_from"], keep="first", maintain_order=True)
    first = once.select(*key, "valid_from", pl.col(value).alias("first_value"))
    others = observed.join(first, on=[*key, "valid_from"], how="left", nulls_equal=True).filter(
        ~equal(pl.col(value), pl.col("first_value"))
    )
    reason = "the same document gives another figure for the same series and day; the first one stays"
    return Parsed(once, suspect(others, key, value, "conflicting_figures", reason))


def shrunk_documents(known: pl.DataFrame, observed: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Sources whose document lost most of its rows, and one refusal for each.

    Rows that an earlier document left out already do not count as lost, so that a second such document is believed.
    """
    sizes = observed.group_by("source").agg(
        rows_now=pl.len(), document_on=pl.col("seen_on").max(), told_on=pl.col("evidence_on").max()
    )
    standing = (pl.col("missing_since").is_null() | (pl.col("missing_since") >= pl.col("told_on"))) & pl.col(
        "valid_from"
    ).ne_missing(pl.col("document_on"))
    before = known.filter(is_open()).join(sizes, on="source").filter(standing)
    sizes = sizes.join(before.group_by("source").agg(rows_before=pl.len()), on="source")
    shrunk = sizes.filter(pl.col("rows_now") < SHRINK_FLOOR * pl.col("rows_before"))
    refused = reject(
        shrunk,
        source=pl.col("source"),
        row_key=pl.format("document of {}", "document_on"),
        value=pl.format("{} rows, {} before", "rows_now", "rows_before"),
        rule=SHRUNK,
        reason=f"less than {SHRINK_FLOOR:.0%} of the rows known before; all rows stay until a later document confirms it",
        severity="suspect",
    ).with_columns(n_rows=shrunk["rows_now"].cast(pl.Int64))
    return shrunk["source"], refused


def agreeing_source(
    rows: pl.DataFrame, others: pl.DataFrame, *, key: list[str], same_thing: Sequence[str], value: str
) -> pl.DataFrame:
    """Series of `rows` whose figure another source states too, within `AGREEMENT`: the key and `peer`, that source."""
    if not same_thing:
        return rows.select(*key, peer=pl.lit(None, pl.String)).clear()
    told = others.select(*same_thing, peer="source", peer_value=value).drop_nulls()
    return (
        rows.join(told, on=list(same_thing))
        .filter(pl.col("peer") != pl.col("source"), ratio(pl.col(value), pl.col("peer_value")) <= AGREEMENT)
        .group_by(key)
        .agg(pl.col("peer").min())
    )


def as_history(rows: pl.DataFrame, like: pl.DataFrame, *, now: object) -> pl.DataFrame:
    """New rows of a history: believed, unless `rows` says otherwise."""
    defaults = {
        "status": pl.lit("believed"),
        "held_by": pl.lit(None),
        "confirmed_on": pl.lit(None),
        "confirmed_by": pl.lit(None),
        "missing_since": pl.lit(None),
        "end_confirmed_on": pl.lit(None),
        "withdrawn_on": pl.lit(None),
    }
    complete = rows.with_columns(observed_at=pl.lit(now), **{k: v for k, v in defaults.items() if k not in rows.columns})
    return complete.select([pl.col(name).cast(dtype) for name, dtype in like.schema.items()])


def suspect(rows: pl.DataFrame, key: list[str], value: str, rule: str, reason: str) -> pl.DataFrame:
    """Figures not believed yet, in the contract `Rejected`."""
    if rows.is_empty():
        return empty(Rejected)
    named = [name for name in key if name != "source"]
    return reject(
        rows,
        source=pl.col("source"),
        row_key=pl.concat_str([pl.col(name).cast(pl.String) for name in named], separator=" | ", ignore_nulls=True),
        column_name=value,
        value=pl.col(value),
        rule=rule,
        reason=reason,
        severity="suspect",
    )


def is_open() -> pl.Expr:
    """Rows that hold on, as far as is known."""
    return pl.col("valid_to").is_null() & pl.col("withdrawn_on").is_null() & was_believed()


def was_believed() -> pl.Expr:
    """Rows that were believed at some time: neither held back nor dismissed."""
    return ~pl.col("status").is_in(["held", "dismissed"]).fill_null(value=False)


def ratio(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """How many times one figure is the other, 1 or more."""
    return pl.max_horizontal(left / right, right / left)


def equal(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Whether two figures are one but for the dust of conversions; no where either is NULL."""
    return ((left - right).abs() <= SAME * right.abs()).fill_null(value=False)

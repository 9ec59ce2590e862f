"""Slowly changing rows: what a source says now, folded into what it said before, so that any past day can be rebuilt.

Sources come in two kinds. A *dated* price states its own first or last day: the document is then the whole history of that
key, and a row that the document takes back is kept and marked withdrawn. An *undated* price only says what holds now: a
change closes the old row on the day it was seen and opens a new one.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import polars as pl

from schemas.base import empty
from schemas.quarantine import Parsed, Rejected, reject

JUMP_FACTOR = 20.0
"""A figure this many times another is more often a unit slip than news."""
REVERT_WINDOW = timedelta(days=14)
"""A figure that goes and comes back within this time was most likely an error in between."""
SHRINK_FLOOR = 0.7
"""A document with fewer rows than this share of the last one has most likely lost rows by accident."""
IMPORT_GROWTH = 2.0
"""A document with more rows than this multiple of what was known is a first import, not news."""
SAME = 1e-9
"""Relative difference below which two figures are one."""

HISTORY_COLUMNS = ("observed_at", "missing_since", "withdrawn_on")


def merge(
    previous: pl.DataFrame,
    observed: pl.DataFrame,
    *,
    key: list[str],
    value: str,
    now: datetime,
    checked_by_hand: frozenset[str] = frozenset(),
) -> Parsed:
    """Fold one refresh's observations into a history.

    `previous`: the history so far. `observed`: the same columns without `observed_at`, `missing_since` and `withdrawn_on`,
    and with `seen_on`, the day of the document; `valid_from` is NULL where the source states none. `key` names the columns
    that identify a series and holds `source`. `value` is the figure. Other columns of `observed` are left out.
    Sources absent from `observed` keep their rows. Dated figures of the sources in `checked_by_hand` may jump.
    Returns the new history and the rows not believed, with the rule. Folding the same observations twice changes nothing.
    """
    single, conflicting = _refuse_conflicts(observed, key=key, value=value)
    accepted, refused_documents = _refuse_shrunk_documents(previous, single)
    unread = previous.join(accepted.select("source").unique(), on="source", how="anti")
    untouched = _mark_absent_in_shrunk(unread, single, key=key)
    known = previous.join(accepted.select("source").unique(), on="source", how="semi")

    is_dated = pl.col("valid_from").is_not_null() | pl.col("valid_to").is_not_null()
    dated_keys = accepted.filter(is_dated).select(key).unique()
    dated, refused_dated = _merge_dated(
        known.join(dated_keys, on=key, how="semi", nulls_equal=True),
        accepted.join(dated_keys, on=key, how="semi", nulls_equal=True),
        key=key,
        value=value,
        now=now,
        checked_by_hand=checked_by_hand,
    )
    undated, refused_undated = _merge_undated(
        known.join(dated_keys, on=key, how="anti", nulls_equal=True),
        accepted.join(dated_keys, on=key, how="anti", nulls_equal=True),
        key=key,
        value=value,
        now=now,
    )
    history = pl.concat([untouched, dated, undated]).sort([*key, "valid_from", "withdrawn_on"], nulls_last=True)
    return Parsed(history, pl.concat([conflicting, refused_documents, refused_dated, refused_undated]))


def holding_on(history: pl.DataFrame, day: date) -> pl.DataFrame:
    """Rows of a history known to hold on a day: begun, not ended, not withdrawn.

    A row whose start nobody states is known to hold from the day it was first seen.
    """
    begun = pl.coalesce("valid_from", pl.col("observed_at").dt.date()) <= day
    lasting = pl.col("valid_to").is_null() | (pl.col("valid_to") > day)
    return history.filter(begun & lasting & pl.col("withdrawn_on").is_null())


def holding_on_each(history: pl.DataFrame, days: Iterable[date]) -> pl.DataFrame:
    """Rows of a history known to hold on each of some days, day by day, which `as_of` says; see `holding_on`."""
    none = history.clear().with_columns(as_of=pl.lit(None, pl.Date))
    return pl.concat([none, *(holding_on(history, day).with_columns(as_of=pl.lit(day)) for day in days)])


def _refuse_conflicts(observed: pl.DataFrame, *, key: list[str], value: str) -> Parsed:
    """One row per series and first day. Of two figures for one the first stays."""
    once = observed.unique([*key, "valid_from"], keep="first", maintain_order=True)
    first = once.select(*key, "valid_from", pl.col(value).alias("first_value"))
    others = observed.join(first, on=[*key, "valid_from"], how="left", nulls_equal=True).filter(
        ~_equal(pl.col(value), pl.col("first_value"))
    )
    reason = "the same document gives another figure for the same series and day; the first one stays"
    return Parsed(once, _suspect(others, key, value, "conflicting_figures", reason))


def _refuse_shrunk_documents(previous: pl.DataFrame, observed: pl.DataFrame) -> Parsed:
    sizes = observed.group_by("source").agg(rows_now=pl.len(), seen_on=pl.col("seen_on").max())
    standing_before = (pl.col("missing_since").is_null() | (pl.col("missing_since") >= pl.col("seen_on"))) & pl.col(
        "valid_from"
    ).ne_missing(pl.col("seen_on"))
    before = previous.filter(_is_open()).join(sizes, on="source").filter(standing_before)
    sizes = sizes.join(before.group_by("source").agg(rows_before=pl.len()), on="source")
    shrunk = sizes.filter(pl.col("rows_now") < SHRINK_FLOOR * pl.col("rows_before"))
    refused = reject(
        shrunk,
        source=pl.col("source"),
        row_key=pl.format("document of {}", "seen_on"),
        value=pl.format("{} rows, {} before", "rows_now", "rows_before"),
        rule="mass_disappearance",
        reason=f"less than {SHRINK_FLOOR:.0%} of the rows known before; all rows stay until a later document confirms it",
        severity="suspect",
    ).with_columns(n_rows=shrunk["rows_now"].cast(pl.Int64))
    return Parsed(observed.join(shrunk, on="source", how="anti"), refused)


def _mark_absent_in_shrunk(unread: pl.DataFrame, observed: pl.DataFrame, *, key: list[str]) -> pl.DataFrame:
    """Of sources whose shrunk document was refused, mark the rows it leaves out, so that a second such document counts."""
    shrunk = unread.join(observed.select("source").unique(), on="source", how="semi")
    others = unread.join(observed.select("source").unique(), on="source", how="anti")
    open_rows = shrunk.filter(_is_open())
    absent, _ = _absent(open_rows, observed, key=key)
    present = open_rows.join(observed, on=key, how="semi", nulls_equal=True)
    parts = [others, shrunk.filter(~_is_open()), present, absent]
    return pl.concat([part.select(unread.columns) for part in parts])


def _merge_dated(
    known: pl.DataFrame,
    observed: pl.DataFrame,
    *,
    key: list[str],
    value: str,
    now: datetime,
    checked_by_hand: frozenset[str],
) -> Parsed:
    observed, refused = _refuse_jumps_in_series(observed, key=key, value=value, checked_by_hand=checked_by_hand)
    same = [*key, "valid_from", value]
    fresh = _as_history(
        observed.join(known.filter(pl.col("withdrawn_on").is_null()), on=same, how="anti", nulls_equal=True),
        known,
        now=now,
    )
    standing = (
        known.join(observed.select(*same, new_valid_to="valid_to"), on=same, how="inner", nulls_equal=True)
        .filter(pl.col("withdrawn_on").is_null())
        .with_columns(valid_to="new_valid_to")
        .select(known.columns)
    )
    seen_on = observed.select("source", "seen_on").unique("source")
    gone = (
        known.join(standing, on=[*same, "withdrawn_on"], how="anti", nulls_equal=True)
        .join(seen_on, on="source", how="left")
        .with_columns(withdrawn_on=pl.coalesce("withdrawn_on", "seen_on"))
        .select(known.columns)
    )
    return Parsed(pl.concat([standing, gone, fresh]), refused)


def _merge_undated(known: pl.DataFrame, observed: pl.DataFrame, *, key: list[str], value: str, now: datetime) -> Parsed:
    open_rows = known.filter(_is_open())
    closed = known.filter(~_is_open())
    imported = (
        observed.group_by("source")
        .agg(rows_now=pl.len())
        .join(open_rows.group_by("source").agg(rows_before=pl.len()), on="source", how="left")
        .select("source", first_import=pl.col("rows_now") > IMPORT_GROWTH * pl.col("rows_before").fill_null(0))
    )
    last_closed = (
        closed.filter(pl.col("withdrawn_on").is_null())
        .sort("valid_to")
        .group_by(key)
        .agg(pl.col(value).last().alias("closed_value"), pl.col("valid_to").last().alias("closed_on"))
    )
    both = (
        observed.join(
            open_rows.select(*key, pl.col(value).alias("old_value"), old_from="valid_from"),
            on=key,
            how="left",
            nulls_equal=True,
        )
        .join(last_closed, on=key, how="left", nulls_equal=True)
        .join(imported, on="source", how="left")
    )
    change = (
        pl.when(pl.col("old_value").is_null())
        .then(pl.lit("new"))
        .when(_equal(pl.col(value), pl.col("old_value")))
        .then(pl.lit("same"))
        .when(pl.col("seen_on") < pl.col("old_from"))
        .then(pl.lit("older_than_known"))
        .when(_equal(pl.col(value), pl.col("closed_value")) & (pl.col("seen_on") - pl.col("closed_on") < REVERT_WINDOW))
        .then(pl.lit("reverted"))
        .when(_ratio(pl.col(value), pl.col("old_value")) >= JUMP_FACTOR)
        .then(pl.lit("jump"))
        .when(pl.col("seen_on") == pl.col("old_from"))
        .then(pl.lit("corrected"))
        .otherwise(pl.lit("changed"))
    )
    both = both.with_columns(change=change)

    def keys_of(*changes: str) -> pl.DataFrame:
        return both.filter(pl.col("change").is_in(changes)).select(*key, "seen_on")

    new = _as_history(
        both.filter(pl.col("change").is_in(["new", "changed", "corrected"])).with_columns(
            valid_from="seen_on",
            date_basis=pl.when("first_import").then(pl.lit("import")).otherwise(pl.lit("observed")),
        ),
        known,
        now=now,
    )
    ended = open_rows.join(keys_of("changed"), on=key, nulls_equal=True).with_columns(valid_to="seen_on", missing_since=None)
    kept = open_rows.join(keys_of("same", "jump", "older_than_known"), on=key, nulls_equal=True).with_columns(
        missing_since=None
    )
    dropped = open_rows.join(keys_of("reverted", "corrected"), on=key, nulls_equal=True)
    reopened = (
        closed.join(keys_of("reverted"), on=key, nulls_equal=True)
        .filter(pl.col("valid_to") == pl.col("valid_to").max().over(key))
        .with_columns(valid_to=None)
    )
    still_closed = closed.join(reopened, on=[*key, "valid_from"], how="anti", nulls_equal=True)
    absent, vanished = _absent(open_rows, observed, key=key)
    columns = known.columns
    history = pl.concat([part.select(columns) for part in (still_closed, reopened, kept, ended, absent, new)])
    suspects = [
        _suspect(
            both.filter(pl.col("change") == "jump"),
            key,
            value,
            "jump_20x",
            f"{JUMP_FACTOR:.0f} times the last figure or more, or a {JUMP_FACTOR:.0f}th of it; the last figure stays",
        ),
        _suspect(
            both.filter(pl.col("change") == "older_than_known"),
            key,
            value,
            "older_than_known",
            "the document is older than the price already known",
        ),
        _suspect(
            dropped,
            key,
            value,
            "reverted_within_14_days",
            "the figure went back to the one before within 14 days, or was corrected the same day",
        ),
        _suspect(
            vanished,
            key,
            value,
            "vanished_once",
            "left out of the latest document; it ends if a later document leaves it out too",
        ),
    ]
    return Parsed(history, pl.concat(suspects))


def _absent(open_rows: pl.DataFrame, observed: pl.DataFrame, *, key: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Open rows the document leaves out: marked the first time, ended when a later document confirms it."""
    seen_on = observed.group_by("source").agg(pl.col("seen_on").max())
    absent = open_rows.join(observed, on=key, how="anti", nulls_equal=True).join(seen_on, on="source", how="left")
    confirmed = pl.col("missing_since").is_not_null() & (pl.col("seen_on") > pl.col("missing_since"))
    marked = absent.with_columns(
        valid_to=pl.when(confirmed).then(pl.max_horizontal("missing_since", "valid_from")).otherwise("valid_to"),
        missing_since=pl.when(confirmed).then(None).otherwise(pl.coalesce("missing_since", "seen_on")),
    )
    return marked, marked.filter(pl.col("missing_since").is_not_null())


def _refuse_jumps_in_series(observed: pl.DataFrame, *, key: list[str], value: str, checked_by_hand: frozenset[str]) -> Parsed:
    """Refuse a dated figure that is a unit slip away from the one before it in its own series.

    The figure after a refused one is held against the one before both, so that a spike takes only itself away.
    """

    def earlier(column: str, rows: int) -> pl.Expr:
        return pl.col(column).shift(rows).over(key, order_by="valid_from")

    from_last = _ratio(pl.col(value), earlier(value, 1)) >= JUMP_FACTOR
    from_second_last = _ratio(pl.col(value), earlier(value, 2)) >= JUMP_FACTOR
    marked = observed.with_columns(from_last=from_last.fill_null(False), from_second_last=from_second_last)
    after_spike = earlier("from_last", 1) & ~pl.col("from_second_last")
    by_hand = pl.col("source").is_in(list(checked_by_hand))
    marked = marked.with_columns(is_jump=pl.col("from_last") & ~after_spike.fill_null(False) & ~by_hand)
    reason = f"{JUMP_FACTOR:.0f} times the figure before it or more, or a {JUMP_FACTOR:.0f}th of it"
    believed = marked.filter(~pl.col("is_jump")).select(observed.columns)
    return Parsed(believed, _suspect(marked.filter("is_jump"), key, value, "jump_20x", reason))


def _as_history(rows: pl.DataFrame, like: pl.DataFrame, *, now: datetime) -> pl.DataFrame:
    return rows.with_columns(
        observed_at=pl.lit(now), missing_since=pl.lit(None, pl.Date), withdrawn_on=pl.lit(None, pl.Date)
    ).select([pl.col(name).cast(dtype) for name, dtype in like.schema.items()])


def _suspect(rows: pl.DataFrame, key: list[str], value: str, rule: str, reason: str) -> pl.DataFrame:
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


def _is_open() -> pl.Expr:
    return pl.col("valid_to").is_null() & pl.col("withdrawn_on").is_null()


def _ratio(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    return pl.max_horizontal(left / right, right / left)


def _equal(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    return ((left - right).abs() <= SAME * right.abs()).fill_null(False)

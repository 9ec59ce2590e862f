"""Histories of prices that a source states without a date: each document says what holds on its day."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from schemas.quarantine import Parsed
from warehouse.history_guards import (
    AGREEMENT,
    CORRECTION_WINDOW,
    HISTORY_COLUMNS,
    JUMP,
    JUMP_FACTOR,
    REVERT_WINDOW,
    SHRUNK,
    agreeing_source,
    as_history,
    equal,
    is_open,
    ratio,
    suspect,
)

IMPORT_GROWTH = 2.0
"""A document with more rows than this multiple of what was known is a first import, not news."""
_KEPT = {"valid_from", "valid_to", "date_basis", "seen_on", *HISTORY_COLUMNS}
"""Columns of a row that a document which repeats it does not touch; all others are as the latest document has them."""


def merge_undated(
    known: pl.DataFrame,
    observed: pl.DataFrame,
    *,
    key: list[str],
    value: str,
    now: datetime,
    others: pl.DataFrame,
    same_thing: Sequence[str],
    shrunk: pl.Series,
    documents: pl.DataFrame,
) -> Parsed:
    """Fold undated figures into their history; arguments as in `warehouse.history.merge`.

    `shrunk`: sources whose document lost most of its rows. `documents`: source, seen_on and evidence_on of each document.
    """
    open_rows = known.filter(is_open())
    held = known.filter(pl.col("status") == "held")
    closed = known.filter(~is_open() & (pl.col("status") != "held"))
    judged = _judged(
        _beside(observed, open_rows, held, closed, key=key, value=value),
        others,
        shrunk,
        key=key,
        value=value,
        same_thing=same_thing,
    )
    believed = judged.filter(pl.col("outcome") == "believed")
    # A confirmed figure counts from the day it was held; one that differs a little from it follows on its own day.
    begun = believed.filter(~(pl.col("near") & pl.col("is_held_value")))
    new = as_history(
        begun.with_columns(
            valid_from="seen_on",
            date_basis=pl.when("first_import").then(pl.lit("import")).otherwise(pl.lit("observed")),
            held_by=pl.when("by_peer").then("guard"),
            confirmed_on=pl.when("by_peer").then("evidence_on"),
            confirmed_by=pl.when("by_peer").then("peer"),
        ),
        known,
        now=now,
    )
    ended = _ended(open_rows, believed, key=key, value=value)
    stated = _repeated(open_rows, judged.filter(pl.col("outcome") == "same"), key=key)
    waiting = open_rows.join(judged.filter(pl.col("outcome").is_in(["held", "older"])), on=key, how="semi", nulls_equal=True)
    kept = pl.concat([stated, waiting]).with_columns(missing_since=pl.lit(None, pl.Date))
    absent, vanished = _absent(open_rows, observed, documents, key=key)
    fresh_held = as_history(
        judged.filter(pl.col("outcome") == "held", ~pl.col("is_held_value")).with_columns(
            valid_from="seen_on", valid_to="seen_on", date_basis=pl.lit("observed"), status=pl.lit("held"), held_by="guard"
        ),
        known,
        now=now,
    )
    settled = _settled(held, judged, documents, shrunk, key=key)
    parts = (_restored(closed, believed, key=key), ended, kept, absent, new, fresh_held, settled)
    history = pl.concat([part.select(known.columns) for part in parts])
    same_day = believed.filter(pl.col("old_from") >= pl.col("start"))
    lost = open_rows.join(same_day.select(key), on=key, how="semi", nulls_equal=True)
    suspects = [
        suspect(
            judged.filter(pl.col("outcome") == "held", pl.col("guard") == JUMP),
            key,
            value,
            JUMP,
            f"{JUMP_FACTOR:.0f} times the last figure or more, or a {JUMP_FACTOR:.0f}th of it; the last figure stays "
            "until a later document repeats this one or another source agrees",
        ),
        suspect(
            judged.filter(pl.col("outcome") == "older"),
            key,
            value,
            "older_than_known",
            "the document is older than the price already known",
        ),
        suspect(lost, key, value, "corrected_same_day", "the source replaced the figure on the day it began"),
        suspect(
            vanished,
            key,
            value,
            "vanished_once",
            "left out of the latest document; it ends if a later document leaves it out too",
        ),
    ]
    return Parsed(history, pl.concat(suspects))


def _beside(
    observed: pl.DataFrame, open_rows: pl.DataFrame, held: pl.DataFrame, closed: pl.DataFrame, *, key: list[str], value: str
) -> pl.DataFrame:
    """Each figure beside the one that stands, the one that is held, and the one before."""
    imported = (
        observed.group_by("source")
        .agg(rows_now=pl.len())
        .join(open_rows.group_by("source").agg(rows_before=pl.len()), on="source", how="left")
        .select("source", first_import=pl.col("rows_now") > IMPORT_GROWTH * pl.col("rows_before").fill_null(0))
    )
    last_closed = (
        closed.filter(pl.col("withdrawn_on").is_null(), pl.col("status") != "dismissed")
        .sort("valid_to")
        .group_by(key)
        .agg(pl.col(value).last().alias("closed_value"), pl.col("valid_to").last().alias("closed_on"))
    )
    standing = open_rows.select(*key, pl.col(value).alias("old_value"), old_from="valid_from", old_evidence="evidence_on")
    waiting = held.select(*key, pl.col(value).alias("held_value"), held_from="valid_from", held_guard="held_by")
    return (
        observed.join(standing, on=key, how="left", nulls_equal=True)
        .join(waiting, on=key, how="left", nulls_equal=True)
        .join(last_closed, on=key, how="left", nulls_equal=True)
        .join(imported, on="source", how="left")
    )


def _judged(
    both: pl.DataFrame,
    others: pl.DataFrame,
    shrunk: pl.Series,
    *,
    key: list[str],
    value: str,
    same_thing: Sequence[str],
) -> pl.DataFrame:
    """What becomes of each figure (`outcome`): same, older, held or believed, by which guard, and from which day."""
    figure, old, kept = pl.col(value), pl.col("old_value"), pl.col("held_value")
    is_recent = (pl.col("seen_on") - pl.col("closed_on") < REVERT_WINDOW).fill_null(value=False)
    returns = equal(figure, pl.col("closed_value")) & is_recent & old.is_not_null()
    is_jump = (ratio(figure, old) >= JUMP_FACTOR).fill_null(value=False) & ~returns
    guard = (
        pl.when(equal(figure, old))
        .then(None)
        .when(is_jump)
        .then(pl.lit(JUMP))
        .when(pl.col("source").is_in(shrunk.implode()))
        .then(pl.lit(SHRUNK))
    )
    guarded = both.with_columns(guard=guard, returns=returns)
    peers = agreeing_source(guarded.filter(pl.col("guard").is_not_null()), others, key=key, same_thing=same_thing, value=value)
    near = ratio(figure, kept) < pl.when(pl.col("guard") == JUMP).then(JUMP_FACTOR).otherwise(AGREEMENT)
    judged = guarded.join(peers, on=key, how="left", nulls_equal=True).with_columns(
        near=near.fill_null(value=False), is_held_value=equal(figure, kept)
    )
    repeats = pl.col("near") & (pl.col("evidence_on") > pl.col("held_from"))
    is_older = ~equal(figure, old) & (pl.col("seen_on") < pl.col("old_evidence")).fill_null(value=False) & ~repeats
    outcome = (
        pl.when(equal(figure, old))
        .then(pl.lit("same"))
        .when(is_older)
        .then(pl.lit("older"))
        .when(pl.col("guard").is_not_null() & pl.col("peer").is_null() & ~repeats)
        .then(pl.lit("held"))
        .otherwise(pl.lit("believed"))
    )
    return judged.with_columns(
        outcome=outcome,
        start=pl.when("near").then("held_from").otherwise("seen_on"),
        by_peer=pl.col("guard").is_not_null() & ~repeats & pl.col("peer").is_not_null(),
    )


def _ended(open_rows: pl.DataFrame, believed: pl.DataFrame, *, key: list[str], value: str) -> pl.DataFrame:
    """Open rows that another figure replaced, marked where they came and went; those of the same day are gone."""
    news = believed.select(
        *key, "start", "closed_value", "closed_on", "evidence_on", new_value=pl.when("near").then("held_value").otherwise(value)
    ).rename({"evidence_on": "news_on"})
    both = open_rows.join(news, on=key, nulls_equal=True).filter(pl.col("valid_from") < pl.col("start"))
    was_slip = ratio(pl.col("new_value"), pl.col(value)) >= JUMP_FACTOR
    was_short = pl.col("start") - pl.col("valid_from") < CORRECTION_WINDOW
    is_back = equal(pl.col("new_value"), pl.col("closed_value")) & (
        pl.col("start") - pl.col("closed_on") < REVERT_WINDOW
    ).fill_null(value=False)
    return both.with_columns(
        valid_to="start",
        missing_since=pl.lit(None, pl.Date),
        status=pl.when(was_slip & (was_short | is_back))
        .then(pl.lit("corrected"))
        .when(is_back)
        .then(pl.lit("reverted"))
        .otherwise("status"),
    ).select(open_rows.columns)


def _restored(closed: pl.DataFrame, believed: pl.DataFrame, *, key: list[str]) -> pl.DataFrame:
    """Closed rows; one that a slip seemed to correct and to which the source went back was right after all."""
    back = believed.filter("returns").select(*key, ended="closed_on", is_back=pl.lit(value=True))
    both = closed.join(back, on=key, how="left", nulls_equal=True)
    is_right = (pl.col("is_back") & (pl.col("status") == "corrected") & (pl.col("valid_to") == pl.col("ended"))).fill_null(
        value=False
    )
    return both.with_columns(status=pl.when(is_right).then(pl.lit("believed")).otherwise("status")).select(closed.columns)


def _repeated(open_rows: pl.DataFrame, same: pl.DataFrame, *, key: list[str]) -> pl.DataFrame:
    """Open rows that the document repeats, with what it says of them besides the figure."""
    told = [name for name in open_rows.columns if name in same.columns and name not in _KEPT and name not in key]
    latest = same.select(*key, **{f"new_{name}": pl.col(name) for name in told})
    both = open_rows.join(latest, on=key, nulls_equal=True)
    is_later = pl.col("new_evidence_on") >= pl.col("evidence_on")
    updated = [pl.when(is_later).then(f"new_{name}").otherwise(name).alias(name) for name in told]
    return both.with_columns(updated).select(open_rows.columns)


def _settled(
    held: pl.DataFrame, judged: pl.DataFrame, documents: pl.DataFrame, shrunk: pl.Series, *, key: list[str]
) -> pl.DataFrame:
    """Held rows after this document: confirmed, still held, or dismissed because the source no longer says so."""
    answer = judged.select(
        *key, "outcome", "near", "is_held_value", "peer", "by_peer", told_on="seen_on", told_evidence="evidence_on"
    )
    both = held.join(answer, on=key, how="left", nulls_equal=True).join(
        documents.select("source", document_on="seen_on"), on="source", how="left"
    )
    is_confirmed = ((pl.col("outcome") == "believed") & pl.col("near")).fill_null(value=False)
    is_waiting = (
        ((pl.col("outcome") == "held") & pl.col("is_held_value")).fill_null(value=False)
        | (pl.col("outcome") == "older").fill_null(value=False)
        | (pl.col("outcome").is_null() & pl.col("source").is_in(shrunk.implode()))
    )
    same_day = pl.col("told_on") <= pl.col("valid_from")
    confirmed = (
        both.filter(is_confirmed)
        .with_columns(
            status=pl.lit("believed"),
            valid_to=pl.when(~pl.col("is_held_value")).then("told_on"),
            confirmed_on="told_evidence",
            confirmed_by=pl.when("by_peer").then("peer").otherwise("source"),
        )
        .select(held.columns)
    )
    stated = _repeated(confirmed.filter(pl.col("valid_to").is_null()), judged, key=key)
    # Of a confirmed row that a slightly other figure replaced on its first day nothing is left.
    replaced = confirmed.filter(pl.col("valid_to") > pl.col("valid_from"))
    dismissed = both.filter(~is_confirmed & ~is_waiting & ~same_day.fill_null(value=False)).with_columns(
        status=pl.lit("dismissed"), withdrawn_on=pl.coalesce("told_on", "document_on")
    )
    return pl.concat(
        [part.select(held.columns) for part in (both.filter(~is_confirmed & is_waiting), stated, replaced, dismissed)]
    )


def _absent(
    open_rows: pl.DataFrame, observed: pl.DataFrame, documents: pl.DataFrame, *, key: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Open rows the document leaves out: held as missing the first time, ended when a later document confirms it.

    A document older than the row's latest evidence says nothing of it.
    """
    told = documents.rename({"seen_on": "document_on", "evidence_on": "document_evidence"})
    absent = open_rows.join(observed, on=key, how="anti", nulls_equal=True).join(told, on="source", how="left")
    is_news = pl.col("document_evidence") >= pl.col("evidence_on")
    confirmed = pl.col("missing_since").is_not_null() & (pl.col("document_evidence") > pl.col("missing_since"))
    marked = absent.with_columns(
        valid_to=pl.when(confirmed).then(pl.max_horizontal("missing_since", "valid_from")).otherwise("valid_to"),
        end_confirmed_on=pl.when(confirmed).then("document_evidence").otherwise("end_confirmed_on"),
        missing_since=pl.when(is_news).then(pl.coalesce("missing_since", "document_on")).otherwise("missing_since"),
    ).select(open_rows.columns)
    return marked, marked.filter(pl.col("missing_since").is_not_null(), pl.col("valid_to").is_null())

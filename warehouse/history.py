"""Slowly changing rows: what a source says now, folded into what it said before, so that any past day can be rebuilt.

Sources come in two kinds. A *dated* price states its own first or last day: the document is then the whole history of that
key, and a row that the document takes back is kept and marked withdrawn. An *undated* price only says what holds now: a
change closes the old row on the day it was seen and opens a new one.

What a guard does not believe at once (see `warehouse.history_guards`) is held: it is kept as a row that lasts no day, it
closes nothing, and it counts from the day it was first seen once a later document of the same source repeats it or another
source agrees. An absence is held in the same way, in `missing_since`. A figure that came and went stays, marked.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import polars as pl

from schemas.quarantine import Parsed
from warehouse.history_dated import merge_dated
from warehouse.history_guards import is_open, refuse_conflicts, shrunk_documents, was_believed
from warehouse.history_undated import merge_undated


def merge(
    previous: pl.DataFrame,
    observed: pl.DataFrame,
    *,
    key: list[str],
    value: str,
    now: datetime,
    same_thing: Sequence[str] = (),
    checked_by_hand: frozenset[str] = frozenset(),
) -> Parsed:
    """Fold one refresh's observations into a history.

    `previous`: the history so far. `observed`: the same columns without `HISTORY_COLUMNS`: among them `seen_on`, the day of
    the document, and `evidence_on`, the latest day on which the source was seen to say so; `valid_from` is NULL where the
    source states none. `key` names the columns that identify a series and holds `source`; `value` is the figure. Other
    columns of `observed` are left out. Figures of different sources are of one thing where they agree in `same_thing`.
    Sources absent from `observed` keep their rows. Dated figures of the sources in `checked_by_hand` may jump.
    Returns the new history and the rows not believed, with the rule. Folding the same observations twice changes nothing.
    """
    known = _completed(previous)
    single, conflicting = refuse_conflicts(observed, key=key, value=value)
    shrunk, refused_documents = shrunk_documents(known, single)
    others = pl.concat([part.select("source", *same_thing, value) for part in (single, known.filter(is_open()))])
    read = single.select("source").unique()
    unread, known = known.join(read, on="source", how="anti"), known.join(read, on="source", how="semi")

    is_dated = pl.col("valid_from").is_not_null() | pl.col("valid_to").is_not_null()
    dated_keys = single.filter(is_dated).select(key).unique()
    # Of a document that lost most of its rows the dated ones wait for a document that has not.
    whole = single.filter(~pl.col("source").is_in(shrunk.implode()))
    dated, refused_dated = merge_dated(
        known.join(dated_keys, on=key, how="semi", nulls_equal=True),
        whole.join(dated_keys, on=key, how="semi", nulls_equal=True),
        key=key,
        value=value,
        now=now,
        others=others,
        same_thing=same_thing,
        checked_by_hand=checked_by_hand,
    )
    undated, refused_undated = merge_undated(
        known.join(dated_keys, on=key, how="anti", nulls_equal=True),
        single.join(dated_keys, on=key, how="anti", nulls_equal=True),
        key=key,
        value=value,
        now=now,
        others=others,
        same_thing=same_thing,
        shrunk=shrunk,
        documents=single.group_by("source").agg(pl.col("seen_on", "evidence_on").max()),
    )
    order = [*key, "valid_from", "withdrawn_on", "status"]
    history = pl.concat([unread, dated, undated]).sort(order, nulls_last=True)
    return Parsed(history, pl.concat([conflicting, refused_documents, refused_dated, refused_undated]))


def holding_on(history: pl.DataFrame, day: date) -> pl.DataFrame:
    """Rows of a history known to hold on a day: begun, not ended, not withdrawn, not held back, not corrected since.

    A row whose start nobody states is known to hold from the day it was first seen.
    """
    begun = pl.coalesce("valid_from", pl.col("observed_at").dt.date()) <= day
    lasting = pl.col("valid_to").is_null() | (pl.col("valid_to") > day)
    stands = pl.col("withdrawn_on").is_null() & was_believed() & (pl.col("status") != "corrected").fill_null(True)
    return history.filter(begun & lasting & stands)


def holding_on_each(history: pl.DataFrame, days: Iterable[date]) -> pl.DataFrame:
    """Rows of a history known to hold on each of some days, day by day, which `as_of` says; see `holding_on`."""
    none = history.clear().with_columns(as_of=pl.lit(None, pl.Date))
    return pl.concat([none, *(holding_on(history, day).with_columns(as_of=pl.lit(day)) for day in days)])


def _completed(previous: pl.DataFrame) -> pl.DataFrame:
    """A history written before it said how far each row is believed and when it was last seen: all of it was believed."""
    first_seen = pl.coalesce("seen_on", pl.col("observed_at").dt.date())
    return previous.with_columns(
        pl.col("status").fill_null("believed"), seen_on=first_seen, evidence_on=pl.coalesce("evidence_on", first_seen)
    )

"""Histories of prices that a source dates itself: each document is the whole history of its series."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from schemas.quarantine import Parsed
from warehouse.history_guards import JUMP, JUMP_FACTOR, agreeing_source, as_history, ratio, suspect, was_believed


def merge_dated(
    known: pl.DataFrame,
    observed: pl.DataFrame,
    *,
    key: list[str],
    value: str,
    now: datetime,
    others: pl.DataFrame,
    same_thing: Sequence[str],
    checked_by_hand: frozenset[str],
) -> Parsed:
    """Fold dated figures into their history; arguments as in `warehouse.history.merge`.

    Known rows of a source without a row in `observed` stay as they are.
    """
    at, same = [*key, "valid_from"], [*key, "valid_from", value]
    read = observed.select("source").unique()
    unread, known = known.join(read, on="source", how="anti"), known.join(read, on="source", how="semi")
    standing = known.filter(was_believed(), pl.col("withdrawn_on").is_null())
    held = known.filter(pl.col("status") == "held")
    settled = known.filter((pl.col("status") == "dismissed") | pl.col("withdrawn_on").is_not_null())

    jumps = _jumps(observed, standing, key=key, value=value, checked_by_hand=checked_by_hand)
    peers = agreeing_source(jumps, others, key=at, same_thing=same_thing, value=value)
    repeated = held.select(*same, first_seen="seen_on")
    judged = (
        jumps.join(peers, on=at, how="left", nulls_equal=True)
        .join(repeated, on=same, how="left", nulls_equal=True)
        .with_columns(repeats=(pl.col("evidence_on") > pl.col("first_seen")).fill_null(value=False))
    )
    waiting = judged.filter(pl.col("peer").is_null(), ~pl.col("repeats"))
    confirmed = judged.join(waiting, on=same, how="anti", nulls_equal=True).select(
        *same,
        held_by=pl.lit(JUMP),
        confirmed_on="evidence_on",
        confirmed_by=pl.when("repeats").then("source").otherwise("peer"),
    )
    believed = _last_believed_holds(observed, waiting, key=key).join(confirmed, on=same, how="left", nulls_equal=True)

    fresh = as_history(believed.join(standing, on=same, how="anti", nulls_equal=True), known, now=now)
    stated = _as_stated_now(standing, believed, same=same)
    # What the source takes back ends, unless all it says of that day instead is not believed yet.
    taken_back = standing.join(believed, on=same, how="anti", nulls_equal=True)
    kept = taken_back.join(waiting, on=at, how="semi", nulls_equal=True)
    gone = taken_back.join(waiting, on=at, how="anti", nulls_equal=True)
    dismissed = held.join(observed, on=same, how="anti", nulls_equal=True).with_columns(status=pl.lit("dismissed"))
    day = observed.group_by("source").agg(told_on=pl.col("seen_on").max())
    withdrawn = pl.concat([gone, dismissed]).join(day, on="source", how="left").with_columns(withdrawn_on="told_on")
    still_held = held.join(waiting, on=same, how="semi", nulls_equal=True)
    fresh_held = as_history(
        waiting.join(held, on=same, how="anti", nulls_equal=True).with_columns(
            valid_to="valid_from", status=pl.lit("held"), held_by=pl.lit(JUMP)
        ),
        known,
        now=now,
    )
    parts = (unread, settled, stated, kept, withdrawn, still_held, fresh_held, fresh)
    reason = (
        f"{JUMP_FACTOR:.0f} times the figure before it or more, or a {JUMP_FACTOR:.0f}th of it; the figure before holds "
        "until a later document repeats this one or another source agrees"
    )
    return Parsed(pl.concat([part.select(known.columns) for part in parts]), suspect(waiting, key, value, JUMP, reason))


def _jumps(
    observed: pl.DataFrame, standing: pl.DataFrame, *, key: list[str], value: str, checked_by_hand: frozenset[str]
) -> pl.DataFrame:
    """Figures a unit slip away from the one before them in their series, or from the one they replace.

    The figure after a jump is held against the one before both, so that a spike takes only itself away. What was believed
    before is no jump any more.
    """

    def earlier(column: str, rows: int) -> pl.Expr:
        return pl.col(column).shift(rows).over(key, order_by="valid_from")

    from_last = ratio(pl.col(value), earlier(value, 1)) >= JUMP_FACTOR
    from_second_last = ratio(pl.col(value), earlier(value, 2)) >= JUMP_FACTOR
    marked = observed.with_columns(
        from_last=from_last.fill_null(value=False), from_second_last=from_second_last.fill_null(value=True)
    )
    after_spike = (earlier("from_last", 1) & ~pl.col("from_second_last")).fill_null(value=False)
    marked = marked.with_columns(in_series=pl.col("from_last") & ~after_spike)
    replaced = standing.select(*key, "valid_from", replaced_value=value)
    marked = marked.join(replaced, on=[*key, "valid_from"], how="left", nulls_equal=True, maintain_order="left")
    of_itself = (ratio(pl.col(value), pl.col("replaced_value")) >= JUMP_FACTOR).fill_null(value=False)
    jumps = marked.filter(pl.col("in_series") | of_itself, ~pl.col("source").is_in(list(checked_by_hand)))
    return jumps.select(observed.columns).join(standing, on=[*key, "valid_from", value], how="anti", nulls_equal=True)


def _last_believed_holds(observed: pl.DataFrame, waiting: pl.DataFrame, *, key: list[str]) -> pl.DataFrame:
    """Figures without those that wait; the one before a waiting figure lasts until the next that is believed."""
    marked = observed.join(
        waiting.select(*key, "valid_from", waits=pl.lit(value=True)), on=[*key, "valid_from"], how="left", nulls_equal=True
    ).with_columns(pl.col("waits").fill_null(value=False))
    run = (~pl.col("waits")).cum_sum().over(key, order_by="valid_from")
    last = pl.col("valid_to").last().over([*key, "run"], order_by="valid_from")
    return marked.with_columns(run=run).with_columns(valid_to=last).filter(~pl.col("waits")).select(observed.columns)


def _as_stated_now(standing: pl.DataFrame, believed: pl.DataFrame, *, same: list[str]) -> pl.DataFrame:
    """Rows that the document repeats, with their end and all that the document says besides."""
    keep = {*same, "date_basis", "seen_on", "observed_at", "status", "held_by", "confirmed_on", "confirmed_by"}
    told = [name for name in standing.columns if name in believed.columns and name not in keep]
    latest = believed.select(*same, **{f"new_{name}": pl.col(name) for name in told})
    both = standing.join(latest, on=same, nulls_equal=True)
    return both.with_columns(**{name: pl.col(f"new_{name}") for name in told}, missing_since=pl.lit(None, pl.Date)).select(
        standing.columns
    )

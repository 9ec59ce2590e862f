"""What the parsers of LLM price sources share: decoding, units, and the rules by which a published price is refused."""

import math
import re
from collections.abc import Collection, Iterable
from datetime import date
from itertools import groupby
from typing import NamedTuple, TypeVar

import msgspec
import polars as pl

from schemas.base import Table, empty, polars_schema
from schemas.quarantine import Parsed, Rejected, reject
from sources.source import Snapshot

T = TypeVar("T")

USD_PER_TOKEN = "usd_per_token"
USD_PER_MTOK = "usd_per_mtok"
_TO_USD_PER_MTOK = {USD_PER_TOKEN: 1e6, USD_PER_MTOK: 1.0}

_REFUSED = {
    "out_of_scope": {
        "unit_not_per_token": "the figure is in another unit than USD per token",
        "leg_not_kept": "a token of a kind that has no leg here, such as image, video or a 12-hour cache",
        "never_in_force": "another price of the same entry takes precedence at all times",
        "zero_price": "zero: free and unknown cannot be told apart",
        "free_route": "a free route, not a price",
        "variable_price": "minus one: the router decides the price per request",
        "discount_not_applied": "a discount on the route; the prices here are before it",
        "alias_of_another_route": "a moving alias; its prices stand under the route it points to",
        "duplicate_key": "the same price a second time, under another key",
        "date_without_day": "a month, not a day",
    },
    "invalid": {
        "not_a_number": "not a finite number",
        "negative_price": "a price below zero",
        "no_provider": "names no provider, so it cannot be told whose model this is",
        "not_a_date": "not a date",
    },
    "suspect": {
        "unknown_price_key": "looks like a price, but the key is not known",
        "unknown_condition": "holds under a condition that is not known",
        "unknown_index": "an index whose scale is not known",
        "conflicting_key": "a second price for the same tokens under another key; the first in the document is kept",
    },
}
_REASONS = {rule: reason for rules in _REFUSED.values() for rule, reason in rules.items()}
_SEVERITIES = {rule: severity for severity, rules in _REFUSED.items() for rule in rules}

_SAME_TOKENS = ["source_provider", "source_model", "leg", "tier_min_tokens", "variant", "price_window", "valid_from"]
_MOST_TOKENS = 10**12
_HOURS = re.compile(r"(?:[01]\d|2[0-4]):[0-5]\d-(?:[01]\d|2[0-4]):[0-5]\d")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

FIGURES = pl.Schema(
    {
        "source_provider": pl.String(),
        "source_model": pl.String(),
        "source_key": pl.String(),
        "published_value": pl.String(),
        "amount": pl.Float64(),
        "leg": pl.String(),
        "tier_min_tokens": pl.Int64(),
        "variant": pl.String(),
        "price_window": pl.String(),
        "valid_from": pl.Date(),
        "valid_to": pl.Date(),
        "date_basis": pl.String(),
        "fx_note": pl.String(),
        "rule": pl.String(),
    }
)
"""Columns of figures as they stand in a document, before they are believed; a figure with a `rule` is refused by it."""


class Meaning(NamedTuple):
    """What a price key says of its figure: a leg, or the rule by which it is refused."""

    leg: str | None
    tier_min_tokens: int = 0
    variant: str = "standard"
    rule: str | None = None


class Terms(NamedTuple):
    """When a figure holds: the window of the day and the days."""

    price_window: str = "always"
    valid_from: date | None = None
    valid_to: date | None = None
    date_basis: str | None = None
    fx_note: str | None = None


def decode(snapshot: Snapshot, shape: type[T], expected: str) -> T:
    """Decode a JSON document into `shape`; ValueError in one line when it is something else."""
    try:
        return msgspec.json.decode(snapshot.body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise unexpected(snapshot, expected, str(error)) from None


def unexpected(snapshot: Snapshot, expected: str, problem: str) -> ValueError:
    """The error for a document of another shape: names the source, what was expected and how the document begins."""
    start = " ".join(snapshot.body[:80].decode("utf-8", "replace").split())
    return ValueError(f"{snapshot.source}: expected {expected}, found {start!r} ({' '.join(problem.split())})")


def number(published: object) -> float | None:
    """A published figure as a finite float, or None; JSON numbers and decimal strings count, booleans do not."""
    if isinstance(published, bool) or not isinstance(published, (int, float, str)):
        return None
    try:
        amount = float(published)
    except (ValueError, OverflowError):
        return None
    return amount if math.isfinite(amount) else None


def as_published(published: object) -> str:
    """A published figure as text."""
    return published if isinstance(published, str) else repr(published)


ALWAYS = Terms()
Row = tuple[object, ...]


def figure(route: tuple[str, str], key: str | None, published: object, meaning: Meaning, terms: Terms = ALWAYS) -> Row:
    """One row of `FIGURES`; `route` is seller and model as the source writes them."""
    leg, tier, variant, rule = meaning
    return (*route, key, as_published(published), number(published), leg, tier, variant, *terms, rule)


def figures_frame(rows: Iterable[Row]) -> pl.DataFrame:
    """Rows made by `figure` as a frame."""
    return pl.DataFrame(list(rows), schema=FIGURES, orient="row")


def split_prices(
    figures: pl.DataFrame,
    *,
    snapshot: Snapshot,
    contract: type[Table],
    unit: str,
    entry: pl.Expr,
    row_key: pl.Expr | None = None,
) -> Parsed:
    """Split figures into prices under `contract`, in USD per million tokens, and refused rows.

    `figures` has the columns of `FIGURES`, amounts in `unit`. Converted prices are rounded to 12 significant digits,
    which takes out the dust of decimal fractions written as floats. `entry` is the JSON pointer of a figure's entry in the
    document, `row_key` names a refused row for a reader.
    """
    amount, rule = pl.col("amount"), pl.col("rule")
    judged = (
        figures.lazy()
        .with_columns(
            rule=pl.coalesce(
                rule,
                pl.when(amount.is_null()).then(pl.lit("not_a_number")),
                pl.when(amount < 0).then(pl.lit("negative_price")),
                pl.when(amount == 0).then(pl.lit("zero_price")),
            ),
            source=pl.lit(snapshot.source),
            published_unit=pl.lit(unit),
            usd_per_mtok=(amount * _TO_USD_PER_MTOK[unit]).round_sig_figs(12),
            seen_on=pl.lit(snapshot.seen_on),
            evidence_on=pl.lit(snapshot.evidence_on),
            document_sha256=pl.lit(snapshot.sha256),
            locator=pl.concat_str(entry, _pointer_of_key(), separator="/"),
        )
        .with_columns(repeats=rule.is_null() & ~pl.struct(*_SAME_TOKENS, rule.is_null()).is_first_distinct())
        .collect()
    )
    accepted = judged.filter(rule.is_null() & ~pl.col("repeats")).select(polars_schema(contract).names())
    refused = pl.concat([judged.filter(rule.is_not_null()), _with_rule(judged.filter("repeats"), accepted)]).select(
        row_key=pl.concat_str("source_provider", "source_model", separator="/") if row_key is None else row_key,
        column_name="source_key",
        value="published_value",
        rule="rule",
    )
    return Parsed(accepted, refusals(refused, snapshot.source))


def pointer(name: pl.Expr) -> pl.Expr:
    """A name as one step of a JSON pointer (RFC 6901)."""
    return name.str.replace_all("~", "~0", literal=True).str.replace_all("/", "~1", literal=True)


def _pointer_of_key() -> pl.Expr:
    """The path of a figure inside its entry, such as `prices[1].input_mtok`, as a JSON pointer."""
    return pl.col("source_key").str.replace_all(r"\[(\d+)\]", "/$1").str.replace_all(".", "/", literal=True)


def _with_rule(repeats: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Repeated prices with their rule: whether each says the same as the first price of its tokens."""
    routes = repeats["source_model"].unique().implode()
    believed = first.filter(pl.col("source_model").is_in(routes)).select(*_SAME_TOKENS, first_price="usd_per_mtok")
    told = repeats.join(believed, on=_SAME_TOKENS, how="left", nulls_equal=True, maintain_order="left")
    same = told["usd_per_mtok"] == told["first_price"]
    return repeats.with_columns(rule=pl.when(same).then(pl.lit("duplicate_key")).otherwise(pl.lit("conflicting_key")))


def refusals(refused: pl.DataFrame, source: str) -> pl.DataFrame:
    """Refused rows (row_key, column_name, value, rule) in the `Rejected` contract; equal rows become one, counted."""
    rule = pl.col("rule")
    counted = (
        refused.lazy()
        .group_by("row_key", "column_name", "value", "rule", maintain_order=True)
        .agg(n_rows=pl.len().cast(pl.Int64))
        .with_columns(
            reason=rule.replace_strict(_REASONS, return_dtype=pl.String),
            severity=rule.replace_strict(_SEVERITIES, return_dtype=pl.String),
        )
        .collect()
    )
    described = [
        reject(
            rows,
            source=source,
            row_key=pl.col("row_key"),
            column_name=pl.col("column_name"),
            value=pl.col("value"),
            rule=rule,
            reason=pl.col("reason"),
            severity=rows["severity"][0],
        ).with_columns(rows["n_rows"])
        for rows in counted.partition_by("severity", maintain_order=True)
    ]
    return pl.concat([empty(Rejected), *described])


def attributes_table(
    rows: list[Row], refused: list[tuple[str, str, str, str]], *, contract: type[Table], source: str
) -> Parsed:
    """Model attributes in the column order of `contract`, and refused cells as (row key, column, value, rule)."""
    named = pl.Schema({name: pl.String() for name in ("row_key", "column_name", "value", "rule")})
    return Parsed(
        pl.DataFrame(rows, schema=polars_schema(contract), orient="row"),
        refusals(pl.DataFrame(refused, schema=named, orient="row"), source),
    )


def tokens(published: object, *, at_least: int = 1) -> int | None:
    """A count of tokens, or None for anything that cannot be one."""
    count = number(published)
    return int(count) if count is not None and at_least <= count <= _MOST_TOKENS else None


def flag(published: object) -> bool | None:
    """A yes or no, or None where the document states neither."""
    return published if isinstance(published, bool) else None


def text(published: object) -> str | None:
    """A text, or None where the document states none."""
    return published if isinstance(published, str) and published else None


def day(published: object) -> date | None:
    """A calendar day written as 2026-11-12, or None for anything else."""
    try:
        return date.fromisoformat(published) if isinstance(published, str) and len(published) == 10 else None
    except ValueError:
        return None


def window_text(hours: object, weekdays: Collection[object] = ()) -> str | None:
    """A daily window of UTC time as text: `hours` such as 16:30-00:30, `weekdays` 1 (Monday) to 7; none means all.

    None where either is written in another way.
    """
    if not isinstance(hours, str) or not _HOURS.fullmatch(hours) or not set(weekdays) <= set(range(1, 8)):
        return None
    listed = [weekday for weekday in range(1, 8) if weekday in weekdays]
    start, _, end = hours.partition("-")
    span = "00:00-24:00" if start == end else hours
    if len(listed) in (0, 7):
        return span
    runs = [[weekday for _, weekday in run] for _, run in groupby(enumerate(listed), lambda pair: pair[1] - pair[0])]
    names = [_WEEKDAYS[run[0] - 1] + (f"-{_WEEKDAYS[run[-1] - 1]}" if len(run) > 1 else "") for run in runs]
    return f"{span} {','.join(names)}"

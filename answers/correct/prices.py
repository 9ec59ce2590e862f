"""What tokens cost on the day of a run, by the dated prices of the warehouse, each kind of token by its own rule."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from answers.query import connect
from assets.prices.run_models import with_model
from economics.units import TOKENS_PER_MTOK

LEGS = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning")
BATCH_SHARE = 0.5
"""Of the standard price, where a seller's batch price is not stated: what OpenAI, Anthropic and Google charge."""


@dataclass(frozen=True, kw_only=True)
class Priced:
    """Records with `priced_usd` and how it is known, and what to say of the prices."""

    records: pl.DataFrame
    notes: tuple[str, ...]


def price(records: pl.DataFrame, *, warehouse: Path | None, price_date: date | None, today: date) -> Priced:
    """Add to each record `canonical_model`, `priced_usd` and `usd_basis`: stated, price, or NULL where it is not known.

    A stated figure counts, but for a 0 that is no price; else tokens times the price on the record's own day, or today's where
    it has none. `price_date` prices all tokens anew on that day: what the run would cost.
    """
    billed = pl.coalesce("billed_model", "model")
    named = with_model(
        records.select(name=billed.unique()).filter(pl.col("name").is_not_null()).with_columns(source=pl.lit("own")),
        source="source",
        name="name",
    )
    known = records.with_columns(name=billed).join(
        named.select("name", canonical_model="model"), on="name", how="left", maintain_order="left"
    )
    wanted = [name for name in known["canonical_model"].unique() if name is not None]
    on = pl.lit(price_date) if price_date else pl.coalesce("run_on", pl.lit(today))
    book = _book(warehouse, wanted) if wanted and warehouse is not None else None
    stated = pl.when(~pl.col("usd_unknown")).then("usd")
    if book is None or book.is_empty():
        return Priced(
            records=known.drop("name").with_columns(
                priced_usd=stated if price_date is None else pl.lit(None, pl.Float64),
                usd_basis=pl.when(stated.is_not_null() & pl.lit(price_date is None)).then(pl.lit("stated")),
            ),
            notes=(),
        )
    days = known.select("canonical_model", day=on).unique().filter(pl.col("canonical_model").is_not_null())
    rates, notes = _rates(book, days)
    table = known.with_columns(day=on).join(rates, on=["canonical_model", "day"], how="left", maintain_order="left")
    by_price = pl.when(pl.col("input_tokens").is_not_null() | pl.col("output_tokens").is_not_null()).then(_bill())
    chosen = by_price if price_date else pl.coalesce(stated, by_price)
    return Priced(
        records=table.with_columns(
            priced_usd=chosen,
            usd_basis=pl.when(stated.is_not_null() & pl.lit(price_date is None))
            .then(pl.lit("stated"))
            .when(by_price.is_not_null())
            .then(pl.lit("price")),
        ).drop("name", "day", *LEGS, "batch_share"),
        notes=tuple(notes),
    )


def _bill() -> pl.Expr:
    """Dollars of a record's tokens. A kind of token without a price of its own is billed as what it is a part of."""
    read, write = pl.col("cache_read_tokens").fill_null(0), pl.col("cache_write_tokens").fill_null(0)
    hour = pl.min_horizontal(pl.col("cache_write_1h_tokens").fill_null(0), write)
    given, written = pl.col("input_tokens").fill_null(0), pl.col("output_tokens").fill_null(0)
    thought = pl.col("reasoning_tokens").fill_null(0)
    # Where the log does not tell: cached tokens are within the input unless they exceed it, thought ones within the output.
    inside = pl.col("input_includes_cached").fill_null(read + write <= given)
    plain_input = pl.when(inside).then((given - read - write).clip(0)).otherwise(given)
    within = pl.col("output_includes_reasoning").fill_null(thought <= written)
    plain_output = pl.when(within).then((written - thought).clip(0)).otherwise(written)
    input_, output = pl.col("input"), pl.col("output")
    write_rate = pl.coalesce("cache_write", "input")
    sums = (
        plain_input * input_
        + read * pl.coalesce("cache_read", "input")
        + (write - hour) * write_rate
        + hour * pl.coalesce("cache_write_1h", write_rate)
        + plain_output * output
        + thought * pl.coalesce("reasoning", "output")
    )
    return sums * pl.when("is_batch").then("batch_share").otherwise(1.0) / TOKENS_PER_MTOK


def _book(warehouse: Path | None, models: list[str]) -> pl.DataFrame:
    """Prices of these models with the days they held: the developer's own, or all hosts where it sells none."""
    if warehouse is None:
        return pl.DataFrame()
    with connect(warehouse) as connection:
        book: pl.DataFrame = connection.sql(
            """
            SELECT model AS canonical_model, leg::VARCHAR AS leg, variant, usd_per_mtok, valid_from, valid_to, first_party
            FROM core.llm_price
            WHERE list_contains($models, model) AND tier_min_tokens = 0 AND price_window IN ('always', 'peak')
                AND withdrawn_on IS NULL AND variant IN ('standard', 'batch')
            """,
            params={"models": models},
        ).pl()
    own = pl.col("first_party").fill_null(value=False)
    return book.filter(own | ~own.any().over("canonical_model"))


def _rates(book: pl.DataFrame, days: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """One row of rates per model and day, and what is to be said of them."""
    joined = days.join(book, on="canonical_model")
    begun = pl.col("valid_from").is_null() | (pl.col("valid_from") <= pl.col("day"))
    held = begun & (pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("day")))
    key = ["canonical_model", "day", "leg", "variant"]
    standing = joined.filter(held)
    early = joined.join(standing.select(key).unique(), on=key, how="anti").filter(
        pl.col("valid_from") == pl.col("valid_from").min().over(key)
    )
    rate = pl.concat([standing.with_columns(early=pl.lit(value=False)), early.with_columns(early=pl.lit(value=True))])
    # Of several sources' prices the newest first day counts, and the median of those.
    newest = rate.filter(pl.col("valid_from").fill_null(date.min) == pl.col("valid_from").fill_null(date.min).max().over(key))
    each = newest.group_by(key).agg(pl.col("usd_per_mtok").median(), pl.col("early").any(), pl.col("valid_from").min())
    wide = each.filter(pl.col("variant") == "standard").pivot("leg", index=["canonical_model", "day"], values="usd_per_mtok")
    wide = wide.with_columns(pl.lit(None, pl.Float64).alias(leg) for leg in LEGS if leg not in wide.columns)
    batch = each.filter(pl.col("leg") == "output").pivot("variant", index=["canonical_model", "day"], values="usd_per_mtok")
    batch = batch.with_columns(
        pl.lit(None, pl.Float64).alias(name) for name in ("batch", "standard") if name not in batch.columns
    )
    wide = wide.join(
        batch.select("canonical_model", "day", batch_share=(pl.col("batch") / pl.col("standard")).fill_null(BATCH_SHARE)),
        on=["canonical_model", "day"],
        how="left",
    ).with_columns(pl.col("batch_share").fill_null(BATCH_SHARE))
    late = (
        each.filter("early", pl.col("leg") == "output", pl.col("variant") == "standard")
        .group_by("canonical_model")
        .agg(pl.col("valid_from").min())
        .sort("canonical_model")
    )
    notes = [
        f"{row['canonical_model']}: no price is known for the run's day; the earliest, of {row['valid_from']}, is taken"
        for row in late.iter_rows(named=True)
    ]
    return wide.select("canonical_model", "day", *LEGS, "batch_share"), notes

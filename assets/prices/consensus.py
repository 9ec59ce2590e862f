"""From what each source says on a day to one price per leg, with the disagreement beside it."""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from schemas.base import polars_schema
from schemas.prices.llm_prices import STALE_AFTER_DAYS, LlmPriceCurrent
from schemas.prices.price_sources import PRICE_SOURCES, SEEDED
from sources.prices.model_map import models, seller_kind
from sources.prices.served_as import states_global

PRICED = ["provider", "model", "leg", "tier_min_tokens", "variant", "price_window"]
VOTES_WITHIN = timedelta(days=45)
"""Evidence this much older than the newest for the same leg is shown and does not vote."""
FAR_FROM_PEERS = 5.0
"""A seller whose price is this many times the median of its peers, or that small a part of it, is marked."""
_RANK = {name: rank for rank, name in enumerate(PRICE_SOURCES)}
"""Which source is believed where no majority is: hand-checked vendor prices first, a router's floor last."""


def consensus(prices: pl.DataFrame, *, day: date | None = None, each: Sequence[str] = ()) -> pl.DataFrame:
    """One row per seller, model and leg from rows that hold on one day (contract `LlmPriceCurrent`).

    `day` is that day; where rows hold on several, `each` names the column of the day of each row (and others that keep rows
    apart), which comes first. A source that lists a model under several ids speaks once: with the routes that answer
    anywhere, and of these with its most common price, else that of its shortest id. Evidence older than the rest by
    `VOTES_WITHIN` does not vote. The seeded history speaks where no live source does, and before one that dates nothing.
    """
    keys = [*each, *PRICED]
    at = pl.lit(day, pl.Date) if day else pl.col(each[0])
    named = prices.with_columns(
        is_canonical=pl.col("model").is_not_null(),
        is_copied=pl.col("imported_from").is_not_null(),
        open_weights=pl.col("model").is_in(_open_models()),
        model=pl.coalesce("model", "source_model"),
        price=pl.col("usd_per_mtok").round_sig_figs(9),
        # A later sighting is no evidence for an earlier day: a price that held then had been seen by then.
        evidence_on=pl.min_horizontal("evidence_on", at),
        tier_min_tokens=pl.when(pl.col("tier_min_tokens") % 1000 == 999)
        .then(pl.col("tier_min_tokens") + 1)
        .otherwise("tier_min_tokens"),
    )
    per_source = _one_per_source(with_peak_hours(named, each=each), keys)
    per_source = _with_votes(per_source, keys)
    voting = per_source.filter("votes_here")
    per_price = voting.group_by([*keys, "price"]).agg(
        votes=pl.len(), rank=pl.col("rank").min(), price_source=pl.col("source").sort_by("rank").first(), **_facts()
    )
    quotes = per_source.group_by(keys).agg(
        n_sources=pl.col("votes_here").sum().cast(pl.Int64),
        low_usd_per_mtok=pl.col("price").filter("votes_here").min(),
        high_usd_per_mtok=pl.col("price").filter("votes_here").max(),
        region_low_usd_per_mtok=pl.col("region_low").min(),
        region_high_usd_per_mtok=pl.col("region_high").max(),
        quotes=pl.format('"{}":{}', "source", "price").sort().str.join(","),
    )
    chosen = per_price.sort("votes", "rank", descending=[True, False]).unique(keys, keep="first", maintain_order=True)
    votes = pl.col("votes")
    decided = seller_kind(chosen.join(quotes, on=keys)).with_columns(
        usd_per_mtok="price",
        agreement=votes / pl.col("n_sources"),
        quotes=pl.lit("{") + pl.col("quotes") + pl.lit("}"),
        age_days=(at - pl.col("evidence_on")).dt.total_days(),
        decided_by=pl.when(pl.col("n_sources") == 1)
        .then(pl.lit("only_source"))
        .when(votes == pl.col("n_sources"))
        .then(pl.lit("all_agree"))
        .when(2 * votes > pl.col("n_sources"))
        .then(pl.lit("majority"))
        .otherwise(pl.lit("source_order")),
        # A quote that was copied from a router is the router's, whoever it names as the seller.
        seller_kind=pl.when("is_copied").then(pl.lit("router")).otherwise("seller_kind"),
    )
    decided = decided.with_columns(is_stale=pl.col("age_days") > STALE_AFTER_DAYS)
    marked = _far_from_peers(_own_price(decided, each=each), each=each)
    absent = [pl.lit(None, pl.Date).alias("retired_on")] if "retired_on" not in marked.columns else []
    return marked.with_columns(absent).select(*each, *polars_schema(LlmPriceCurrent)).sort(keys)


def _open_models() -> pl.Series:
    """Canonical models whose weights can be downloaded."""
    return models().filter("open_weights")["model"].implode()


def with_peak_hours(prices: pl.DataFrame, *, each: Sequence[str] = ()) -> pl.DataFrame:
    """Name daily windows alike over sources: `price_window` becomes always, peak or off_peak; `hours` keeps the hours.

    Of a model with daily windows one source states the off-peak price as its base and peak windows on top, another the
    reverse. Compared by base price the two are a factor of two apart; compared by peak and off-peak they agree. A source
    that knows no windows states one of the two, peak unless it equals the other; but where its evidence is younger by
    `VOTES_WITHIN` the windows are gone.
    """
    price, series = pl.col("usd_per_mtok"), [*each, "source", "source_provider", "source_model", *PRICED[2:5]]
    has_windows = (pl.col("price_window") != "always").any().over(series)
    highest, lowest = price.max().over(series), price.min().over(series)
    windowed = prices.with_columns(
        hours=pl.when(pl.col("price_window") != "always").then("price_window"),
        price_window=pl.when(~has_windows | (highest == lowest))
        .then(pl.lit("always"))
        .when(price == highest)
        .then(pl.lit("peak"))
        .otherwise(pl.lit("off_peak")),
    )
    leg = [*each, *PRICED[:5]]
    always = pl.col("price_window") == "always"
    newest = pl.col("evidence_on").filter(~always).max().over(leg)
    newest_always = pl.col("evidence_on").filter(always).max().over(leg)
    off_peak = price.filter(pl.col("price_window") == "off_peak").median().over(leg)
    known = windowed.with_columns(
        outdated=(newest_always - newest > VOTES_WITHIN).fill_null(value=False),
        has_hours=newest.is_not_null(),
        off_peak=off_peak,
    ).filter(always | ~pl.col("outdated"))
    takes = pl.when((price - pl.col("off_peak")).abs() <= 1e-9 * price).then(pl.lit("off_peak")).otherwise(pl.lit("peak"))
    joins = always & pl.col("has_hours") & ~pl.col("outdated")
    return known.with_columns(price_window=pl.when(joins).then(takes).otherwise("price_window")).drop(
        "outdated", "has_hours", "off_peak"
    )


def _one_per_source(named: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """What each source says of a leg, of all routes under which it lists the model there."""
    region_rank = pl.when(pl.col("region") != "global").then(2).when(states_global(pl.col("source_model"))).then(0).otherwise(1)
    ranked = named.with_columns(region_rank=region_rank).with_columns(
        region_low=pl.col("price").min().over([*keys, "source"]),
        region_high=pl.col("price").max().over([*keys, "source"]),
        best=pl.col("region_rank").min().over([*keys, "source"]),
    )
    return (
        ranked.filter(pl.col("region_rank") == pl.col("best"))
        .group_by([*keys, "source", "price"])
        .agg(
            pl.col("region_low").first(),
            pl.col("region_high").first(),
            routes=pl.len(),
            shortest=pl.col("source_model").str.len_chars().min(),
            **_facts(),
        )
        .sort("routes", "shortest", descending=[True, False])
        .unique([*keys, "source"], keep="first", maintain_order=True)
    )


def _with_votes(per_source: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Which sources have a voice: no evidence much older than the newest, and of the seed what no live source knows better.

    A dated document is believed before a single source that dates its price by the day of its import only.
    """
    seeded = pl.col("source") == SEEDED
    undated = (pl.col("date_basis") == "import").fill_null(value=True)
    known_better = (~seeded & (~undated | pl.col("is_copied"))).any().over(keys) | ((~seeded).sum().over(keys) > 1)
    spoken = per_source.filter(~seeded | (pl.len().over(keys) == 1) | (~undated & ~known_better))
    is_young = pl.col("evidence_on") >= pl.col("evidence_on").max().over(keys) - VOTES_WITHIN
    return spoken.with_columns(
        votes_here=is_young.fill_null(value=True),
        rank=pl.when(seeded).then(-1).otherwise(pl.col("source").replace_strict(_RANK, default=len(_RANK))),
    )


def _own_price(decided: pl.DataFrame, *, each: Sequence[str]) -> pl.DataFrame:
    """A developer's own price that equals a router's to the digit in both legs, and that one source alone states, is a copy."""
    base = [*each, "model", "leg", "tier_min_tokens", "variant", "price_window"]
    routed = (
        decided.filter(pl.col("provider") == "openrouter").select(*base, router_price="usd_per_mtok").unique(base, keep="first")
    )
    both = decided.join(routed, on=base, how="left", maintain_order="left")
    at = [*each, "provider", "model"]
    legs = pl.col("leg").is_in(["input", "output"]) & (pl.col("tier_min_tokens") == 0) & (pl.col("variant") == "standard")
    same = (pl.col("usd_per_mtok") == pl.col("router_price")).fill_null(value=False)
    copies = legs & same & (pl.col("decided_by") == "only_source")
    is_copy = pl.col("first_party") & pl.col("open_weights") & (copies.sum().over(at) == 2)
    return both.with_columns(
        first_party=pl.when(is_copy.fill_null(value=False)).then(pl.lit(value=False)).otherwise("first_party")
    ).drop("router_price", "open_weights")


def _far_from_peers(decided: pl.DataFrame, *, each: Sequence[str]) -> pl.DataFrame:
    """Mark prices far from the median of at least three sellers of the same leg."""
    peers = [*each, "model", "leg", "tier_min_tokens", "variant", "price_window"]
    ratio = pl.col("usd_per_mtok") / pl.col("usd_per_mtok").median().over(peers)
    is_far = (ratio >= FAR_FROM_PEERS) | (ratio <= 1 / FAR_FROM_PEERS)
    return decided.with_columns(is_far_from_peers=is_far & (pl.len().over(peers) >= 3) & pl.col("is_canonical"))


def _facts() -> dict[str, pl.Expr]:
    """What is said of a price besides the figure, over all rows that state it."""
    return {
        "is_canonical": pl.col("is_canonical").any(),
        "is_copied": pl.col("is_copied").all(),
        "open_weights": pl.col("open_weights").first(),
        "hours": pl.col("hours").drop_nulls().unique().sort().str.join(", ").replace("", None),
        "first_party": pl.col("first_party").first(),
        "region": pl.col("region").mode().sort().first(),
        "valid_from": pl.col("valid_from").max(),
        "date_basis": pl.col("date_basis").sort_by("valid_from").last(),
        "evidence_on": pl.col("evidence_on").max(),
        "fx_note": pl.col("fx_note").drop_nulls().first(),
    }

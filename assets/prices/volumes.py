"""The market in tokens and dollars: by model, by tier, how concentrated, and what volumes did after price cuts."""

from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl

from assets.frames import floats, under_contract
from assets.prices.frontier import one_price, prices_on
from assets.prices.market_split import scores_of_split, with_tier_of_the_day, with_tiers
from economics.prices.market import herfindahl
from schemas.prices import market_answers as contract
from warehouse.table import table

GROUP = "market"
LATE = 15
"""Day of the month after which a change is closer to the next month than to the last."""
SMALLEST_CHANGE = 0.02
"""A list price that moved by less stood still."""
LEAST_REQUESTS = 100_000
"""Requests of a month from which a model's volume is no accident of a few users."""
EXPECTED = (0.025, 0.975)


@table(schema=contract.MarketVolume, group=GROUP)
def market_volume(
    model_usage: pl.DataFrame,
    price_paid: pl.DataFrame,
    llm_price: pl.DataFrame,
    model_retirement: pl.DataFrame,
    capability: pl.DataFrame,
    model: pl.DataFrame,
) -> pl.DataFrame:
    """Every model, variant and month."""
    days = middle_days(model_usage)
    paid = mean_paid(price_paid)
    listed = list_prices(llm_price, model_retirement, [*days.values(), *paid["as_of"].unique()])
    scores = scores_of_split(capability)
    tiers = with_tiers(listed, scores, model).select("model", "tier", tier_as_of="as_of")
    dated = model_usage.with_columns(day=pl.col("month").replace_strict(days, return_dtype=pl.Date))
    told = with_tier_of_the_day(with_dollars(dated, paid, listed), tiers).with_columns(tokens=_TOKENS)
    return under_contract(contract.MarketVolume, told).sort("month", "tokens", descending=[False, True])


@table(schema=contract.MarketVolumeByTier, group=GROUP)
def market_volume_by_tier(market_volume: pl.DataFrame) -> pl.DataFrame:
    """Every month and tier, free variants apart."""
    tier = pl.when("is_free").then(pl.lit("free")).otherwise(pl.col("tier").cast(pl.String))
    priced = pl.col("usd").is_not_null() | pl.col("is_free")
    sums = (
        market_volume.with_columns(tier=tier)
        .group_by("month", "tier")
        .agg(
            pl.len().cast(pl.Int64).alias("variants"),
            pl.col("requests", "tokens", "usd").sum(),
            without=pl.col("tokens").filter(~priced).sum(),
            with_price=pl.col("tokens").filter(pl.col("usd").is_not_null()).sum(),
        )
    )
    shares = {"request_share": "requests", "token_share": "tokens", "usd_share": "usd"}
    return under_contract(
        contract.MarketVolumeByTier,
        sums.with_columns(
            *((pl.col(of) / pl.col(of).sum().over("month")).alias(name) for name, of in shares.items()),
            tokens_without_price=pl.when(pl.col("tokens") > 0).then(pl.col("without") / pl.col("tokens")).otherwise(0.0),
            usd_per_mtok=pl.when(pl.col("with_price") > 0).then(pl.col("usd") / pl.col("with_price") * 1e6),
        ),
    ).sort("month", "tier")


@table(schema=contract.MarketConcentration, group=GROUP)
def market_concentration(market_volume: pl.DataFrame, price_paid: pl.DataFrame) -> pl.DataFrame:
    """Every month, over models, authors and sellers."""
    models = market_volume.with_columns(name=pl.coalesce("model", "source_model"))
    authors = market_volume.with_columns(name="author")
    usd = (pl.col("input_usd_per_mtok") + pl.col("output_usd_per_mtok")).is_not_null()
    sellers = price_paid.filter(~pl.col("is_free"), usd).with_columns(name="provider", month=pl.col("as_of").dt.month_start())
    newest = sellers.filter(pl.col("as_of") == pl.col("as_of").max().over("month"))
    parts = [
        *(shares_of(models, "model", measure) for measure in contract.MEASURES),
        *(shares_of(authors, "author", measure) for measure in contract.MEASURES),
        shares_of(newest, "seller", "tokens"),
    ]
    return under_contract(contract.MarketConcentration, pl.concat(parts)).sort("month", "of", "measure")


@table(schema=contract.PriceCutEvent, group=GROUP, may_be_empty=True)
def price_cut_event(model_usage: pl.DataFrame, llm_price: pl.DataFrame, model_retirement: pl.DataFrame) -> pl.DataFrame:
    """Every change of a developer's list price between two months of use."""
    days = middle_days(model_usage)
    months = sorted(days)
    daily = paid_tokens_a_day(model_usage)
    listed = list_prices(llm_price, model_retirement, list(days.values())).join(
        pl.DataFrame({"as_of": list(days.values()), "month": list(days)}), on="as_of"
    )
    mix = daily.select(pl.col("prompt").sum(), pl.col("completion").sum()).row(0)
    blend = (mix[0] * pl.col("input_usd_per_mtok") + mix[1] * pl.col("output_usd_per_mtok")) / sum(mix)
    prices = listed.filter(pl.col("price_basis") == "first_party").select("model", "month", usd=blend)
    pairs = [pairs_of(daily, prices, first, second) for first, second in pairwise(months)]
    moves = pl.concat([pair for pair in pairs if pair.height] or [pairs_of(daily.clear(), prices, months[0], months[-1])])
    return under_contract(contract.PriceCutEvent, events(moves, changes(llm_price))).sort("changed_on", "model")


_TOKENS = pl.col("prompt_tokens") + pl.col("completion_tokens")


def middle_days(use: pl.DataFrame) -> dict[date, date]:
    """The middle of the days counted in each month. `use`: contract `ModelUsage`."""
    spans = use.group_by("month").agg(first=pl.col("first_day").min(), last=pl.col("last_day").max()).sort("month")
    return {month: first + (last - first) // 2 for month, first, last in spans.iter_rows()}


def mean_paid(paid: pl.DataFrame) -> pl.DataFrame:
    """Mean price paid over sellers of each model, variant and day, weighted by tokens. `paid`: contract `PricePaid`."""
    known = paid.filter(~pl.col("is_free"), pl.col("tokens") > 0)

    def mean(name: str) -> pl.Expr:
        priced = pl.col(name).is_not_null()
        total = pl.col("tokens").filter(priced).sum()
        return pl.when(total > 0).then((pl.col(name) * pl.col("tokens")).sum() / total).alias(f"paid_{name}")

    return known.group_by("source_model", "variant", "as_of").agg(mean("input_usd_per_mtok"), mean("output_usd_per_mtok"))


def list_prices(prices: pl.DataFrame, retired: pl.DataFrame, days: list[date]) -> pl.DataFrame:
    """One list price per model on each day (`as_of`). `prices`: contract `LlmPrice`; `retired`: `ModelRetirement`."""
    mapped = prices.filter(pl.col("model").is_not_null())
    return one_price(prices_on(mapped, retired, sorted(set(days))), each=["as_of"])


def with_dollars(use: pl.DataFrame, paid: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Dollars of each row: the price paid on the nearest day known, moved by the list price in between, times its tokens.

    `use`: rows of `ModelUsage` with `day`, the middle of its month; `paid` as `mean_paid`, `listed` as `list_prices` gives
    them.
    """
    gap = (pl.col("as_of") - pl.col("day")).abs()
    nearest = (
        use.select("source_model", "variant", "month", "day", "model")
        .join(paid, on=["source_model", "variant"])
        .sort(gap)
        .unique(["source_model", "variant", "month"], keep="first", maintain_order=True)
    )
    moved = nearest
    for end, on in (("then", "day"), ("known", "as_of")):
        priced = listed.select(
            "model", pl.col("as_of").alias(on), **{f"{leg}_{end}": f"{leg}_usd_per_mtok" for leg in ("input", "output")}
        )
        moved = moved.join(priced, on=["model", on], how="left")
    same_month = pl.col("as_of").dt.month_start() == pl.col("month")
    prices = moved.select(
        "source_model",
        "variant",
        "month",
        *(
            (
                pl.col(f"paid_{leg}_usd_per_mtok")
                * pl.when(same_month).then(1.0).otherwise((pl.col(f"{leg}_then") / pl.col(f"{leg}_known")).fill_null(1.0))
            ).alias(leg)
            for leg in ("input", "output")
        ),
        dollar_basis=pl.when(same_month).then(pl.lit("paid_then")).otherwise(pl.lit("paid_moved_by_list")),
    )
    told = use.join(prices, on=["source_model", "variant", "month"], how="left")
    # A leg without a price adds nothing only where it has no tokens.
    input_usd = pl.when(pl.col("prompt_tokens") == 0).then(0.0).otherwise(pl.col("prompt_tokens") * pl.col("input") / 1e6)
    output_usd = (
        pl.when(pl.col("completion_tokens") == 0).then(0.0).otherwise(pl.col("completion_tokens") * pl.col("output") / 1e6)
    )
    usd = pl.when(~pl.col("is_free")).then(input_usd + output_usd)
    basis = pl.when(pl.col("is_free")).then(None).when(usd.is_null()).then(pl.lit("unknown")).otherwise("dollar_basis")
    return told.with_columns(usd=usd, dollar_basis=basis)


def shares_of(rows: pl.DataFrame, of: str, measure: str) -> pl.DataFrame:
    """Concentration, entry and exit by month. `rows`: month, `name`, and the measure."""
    amounts = (
        rows.group_by("month", "name")
        .agg(amount=pl.col(measure).sum().cast(pl.Float64))
        .filter(pl.col("amount") > 0)
        .with_columns(share=pl.col("amount") / pl.col("amount").sum().over("month"))
        .sort("month", "amount", descending=[False, True])
    )
    months = sorted(amounts["month"].unique())
    found = []
    for at, month in enumerate(months):
        here = amounts.filter(pl.col("month") == month)
        before = amounts.filter(pl.col("month") == months[at - 1]) if at else None
        row = {
            "month": month,
            "of": of,
            "measure": measure,
            "n": here.height,
            "herfindahl": herfindahl(amounts=floats(here, "share")),
            "largest": here["name"][0],
            "largest_share": here["share"][0],
            "top5_share": min(here["share"].head(5).sum(), 1.0),
            "entered": None,
            "entered_share": None,
            "left": None,
            "left_share": None,
        }
        if before is not None:
            new, gone = here.join(before, on="name", how="anti"), before.join(here, on="name", how="anti")
            row |= {
                "entered": new.height,
                "entered_share": new["share"].sum(),
                "left": gone.height,
                "left_share": gone["share"].sum(),
            }
        found.append(row)
    return under_contract(contract.MarketConcentration, pl.DataFrame(found, infer_schema_length=None))


def paid_tokens_a_day(use: pl.DataFrame) -> pl.DataFrame:
    """Tokens a day by model and month over paid variants, and when the model came. `use`: contract `ModelUsage`."""
    paid = use.filter(~pl.col("is_free"), pl.col("model").is_not_null(), pl.col("completion_tokens") > 0)
    return (
        paid.group_by("model", "month")
        .agg(
            prompt=pl.col("prompt_tokens").sum(),
            completion=pl.col("completion_tokens").sum(),
            requests=pl.col("requests").sum(),
            days=pl.col("days").max(),
            came=pl.col("first_day").min(),
        )
        .with_columns(
            per_day=(pl.col("prompt") + pl.col("completion")) / pl.col("days"),
            came_within=pl.col("came") > pl.col("came").min().over("month"),
        )
        .filter(pl.col("requests") >= LEAST_REQUESTS)
    )


def pairs_of(daily: pl.DataFrame, prices: pl.DataFrame, first: date, second: date) -> pl.DataFrame:
    """Models sold in two months in a row: ratio of price and of tokens a day, and that of models whose price stood still."""
    before, after = (
        daily.filter(pl.col("month") == month).join(prices.filter(pl.col("month") == month), on=["model", "month"])
        for month in (first, second)
    )
    both = before.join(after, on="model", suffix="_after").select(
        "model",
        month_before=pl.lit(first),
        month_after=pl.lit(second),
        price_ratio=pl.col("usd_after") / pl.col("usd"),
        volume_ratio=pl.col("per_day_after") / pl.col("per_day"),
        came_in_first_month="came_within",
    )
    still = both.filter((pl.col("price_ratio") - 1.0).abs() < SMALLEST_CHANGE, ~pl.col("came_in_first_month"))["volume_ratio"]
    low, middle, high = np.quantile(still.to_numpy(), [EXPECTED[0], 0.5, EXPECTED[1]]) if len(still) else (None, None, None)
    return both.with_columns(
        expected_ratio=pl.lit(middle, pl.Float64),
        expected_low=pl.lit(low, pl.Float64),
        expected_high=pl.lit(high, pl.Float64),
        controls=pl.lit(len(still), pl.Int64),
    )


def changes(prices: pl.DataFrame) -> pl.DataFrame:
    """Day and date basis of the changes of developers' own list prices. `prices`: contract `LlmPrice`."""
    own = prices.filter(
        pl.col("first_party"),
        pl.col("variant") == "standard",
        pl.col("tier_min_tokens") == 0,
        pl.col("withdrawn_on").is_null(),
        pl.col("leg").is_in(["input", "output"]),
        pl.col("valid_from").is_not_null(),
        pl.col("date_basis") != "import",
    )
    return own.select("model", changed_on="valid_from", date_basis=pl.col("date_basis").cast(pl.String)).unique(
        ["model", "changed_on"]
    )


def events(moves: pl.DataFrame, dated: pl.DataFrame) -> pl.DataFrame:
    """Moves with a change of price whose day is known. `moves` as `pairs_of`, `dated` as `changes` give them."""
    moved = moves.filter((pl.col("price_ratio") - 1.0).abs() >= SMALLEST_CHANGE, pl.col("controls") > 0)
    found = moved.join(dated, on="model").filter(
        pl.col("changed_on") > pl.col("month_before"), pl.col("changed_on") <= pl.col("month_after").dt.month_end()
    )
    newest = found.sort("changed_on").unique(["model", "month_before"], keep="last", maintain_order=True)
    price = np.log(floats(newest, "price_ratio"))
    volume = np.log(floats(newest, "volume_ratio"))
    ends = np.sort(np.stack([(volume - np.log(floats(newest, f"expected_{end}"))) / price for end in ("low", "high")]), axis=0)
    return newest.with_columns(
        excess_ratio=pl.col("volume_ratio") / pl.col("expected_ratio"),
        elasticity=pl.Series((volume - np.log(floats(newest, "expected_ratio"))) / price),
        elasticity_low=pl.Series(ends[0]),
        elasticity_high=pl.Series(ends[1]),
    )

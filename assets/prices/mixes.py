"""List prices in the mixes in which tokens are really bought, what a mix changes, and an index weighted by what is spent."""

from datetime import datetime

import numpy as np
import polars as pl

from assets.frames import floats, nullable, under_contract
from assets.prices.frontier import priced_models, sellers
from assets.prices.market_split import scores_of_split, with_tiers
from assets.prices.use import asked_and_answered, last_whole_month
from economics.numeric.pareto import non_dominated
from economics.prices.market import discordant_share, mix_usd_per_mtok, weighted_chain
from schemas.prices import market_answers as contract
from warehouse.table import table

GROUP = "market"
FIXED = {"even": (1.0, 1.0, 0.0), "three_to_one": (3.0, 1.0, 0.0)}
"""Tokens in, tokens out, share of the input read from cache."""
INDEX_MONTHS = 24
"""Months before the last: further back few of today's models were sold."""


@table(schema=contract.PriceByMix, group=GROUP)
def price_by_mix(
    llm_price_current: pl.DataFrame, model_usage: pl.DataFrame, capability: pl.DataFrame, model: pl.DataFrame
) -> pl.DataFrame:
    """Every model with a price today, in every mix that it has."""
    listed = with_cache_price(priced_models(llm_price_current), llm_price_current)
    priced = in_mixes(listed, mixes_of(model_usage))
    scores = scores_of_split(capability).select("model", "score")
    rated = with_ranks(priced.join(scores, on="model", how="left").join(model.select("model"), on="model", how="semi"))
    return under_contract(contract.PriceByMix, rated).sort("mix", "rank", "model")


@table(schema=contract.MixEffect, group=GROUP)
def mix_effect(
    price_by_mix: pl.DataFrame, llm_price_current: pl.DataFrame, capability: pl.DataFrame, model: pl.DataFrame, now: datetime
) -> pl.DataFrame:
    """Every mix against the even one."""
    priced = priced_models(llm_price_current).with_columns(as_of=pl.lit(now.date()))
    scores = scores_of_split(capability)
    plain = with_tiers(priced, scores, model).select("model", "tier")
    rows = []
    for (mix,), part in price_by_mix.group_by("mix", maintain_order=True):
        blended = priced.join(part.select("model", "usd_per_mtok"), on="model").with_columns(
            input_usd_per_mtok="usd_per_mtok", output_usd_per_mtok="usd_per_mtok"
        )
        tiers = with_tiers(blended, scores, model).select("model", then="tier").join(plain, on="model")
        moved = tiers.filter(pl.col("tier") != pl.col("then"))["model"] if mix != "own" else tiers["model"].clear()
        rows.append({"mix": mix, "tiers_changed": listed(moved), **effect(part, price_by_mix.filter(pl.col("mix") == "even"))})
    return under_contract(contract.MixEffect, pl.DataFrame(rows, infer_schema_length=None)).sort("mix")


@table(schema=contract.VolumeWeightedIndex, group=GROUP)
def volume_weighted_index(monthly_price: pl.DataFrame, market_volume: pl.DataFrame, model_usage: pl.DataFrame) -> pl.DataFrame:
    """Every month of the last two years."""
    month = last_whole_month(model_usage)
    paid = market_volume.filter(pl.col("month") == month, pl.col("usd") > 0, pl.col("model").is_not_null())
    weights = paid.group_by("model").agg(pl.col("usd").sum())
    use = asked_and_answered(model_usage).filter(pl.col("month") == month)
    mix = use.group_by("model").agg(input_tokens=pl.col("prompt_tokens").sum(), output_tokens=pl.col("completion_tokens").sum())
    sold = monthly_price.filter("first_party").join(weights, on="model").join(mix, on="model")
    usd = mix_usd_per_mtok(
        input_usd_per_mtok=floats(sold, "input_usd_per_mtok"),
        cache_read_usd_per_mtok=np.nan,
        cached_share=0.0,
        output_usd_per_mtok=floats(sold, "output_usd_per_mtok"),
        input_tokens=floats(sold, "input_tokens"),
        output_tokens=floats(sold, "output_tokens"),
    )
    wide = (
        sold.with_columns(blend=pl.Series(usd))
        .pivot("model", index="as_of", values="blend", aggregate_function="median")  # a vendor may sell under two names
        .sort("as_of")
        .tail(INDEX_MONTHS + 1)
    )
    names = [name for name in wide.columns if name != "as_of"]
    prices = wide.select(names).to_numpy()
    spent = dict(zip(weights["model"], weights["usd"], strict=True))
    value, covered = weighted_chain(usd=prices, weight=[spent[name] for name in names])
    alike, _ = weighted_chain(usd=prices, weight=np.ones(len(names)))
    base = int(np.flatnonzero((wide["as_of"] >= month).to_numpy())[0])
    sold_twice = (~np.isnan(prices[1:]) & ~np.isnan(prices[:-1])).sum(axis=1)
    index = wide.select("as_of").with_columns(
        value=pl.Series(value / value[base]),
        unweighted=pl.Series(alike / alike[base]),
        weight_covered=nullable(covered),
        models_matched=pl.Series([None, *sold_twice.tolist()], dtype=pl.Int64),
    )
    return under_contract(contract.VolumeWeightedIndex, index)


def mixes_of(use: pl.DataFrame) -> pl.DataFrame:
    """Mixes: tokens in and out, cached share; `model` is NULL where the mix is everybody's. `use`: contract `ModelUsage`."""
    paid = asked_and_answered(use).filter(pl.col("month") == last_whole_month(use))
    sums = {
        "input_tokens": pl.col("prompt_tokens").sum().cast(pl.Float64),
        "output_tokens": pl.col("completion_tokens").sum().cast(pl.Float64),
        "cached_share": pl.col("cached_tokens").sum() / pl.col("prompt_tokens").sum(),
    }
    own = paid.drop_nulls("model").group_by("model").agg(**sums).with_columns(mix=pl.lit("own"))
    market = paid.select(model=pl.lit(None, pl.String), **sums, mix=pl.lit("market"))
    fixed = pl.DataFrame([(None, *tokens, mix) for mix, tokens in FIXED.items()], schema=market.schema, orient="row")
    return pl.concat([fixed, market, own.select(market.columns)])


def with_cache_price(priced: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """The cache price: the developer's own, else the median of hosts. `prices`: contract `LlmPriceCurrent`."""
    reads = prices.filter(
        pl.col("is_canonical"),
        pl.col("leg") == "cache_read",
        pl.col("tier_min_tokens") == 0,
        pl.col("variant") == "standard",
        pl.col("price_window").is_in(["peak", "always"]),
    )
    sold = sellers(prices).join(
        reads.group_by("model", "provider").agg(cache_read_usd_per_mtok=pl.col("usd_per_mtok").max()), on=["model", "provider"]
    )
    own = pl.col("first_party").any().over("model")
    known = sold.filter(pl.col("first_party") | ~own).group_by("model").agg(pl.col("cache_read_usd_per_mtok").median())
    return priced.join(known, on="model", how="left")


def in_mixes(listed: pl.DataFrame, mixes: pl.DataFrame) -> pl.DataFrame:
    """Each model in each mix. `listed`: prices by model; `mixes` as `mixes_of` gives them."""
    everybodys = listed.join(mixes.filter(pl.col("model").is_null()).drop("model"), how="cross")
    own = listed.join(mixes.filter(pl.col("model").is_not_null()), on="model")
    both = pl.concat([everybodys, own.select(everybodys.columns)])
    names = (
        "input_usd_per_mtok",
        "cache_read_usd_per_mtok",
        "output_usd_per_mtok",
        "input_tokens",
        "output_tokens",
        "cached_share",
    )
    usd = mix_usd_per_mtok(**{name: floats(both, name) for name in names})
    return both.with_columns(
        usd_per_mtok=pl.Series(usd),
        input_per_output=pl.col("input_tokens") / pl.col("output_tokens"),
        cache_price_known=pl.col("cache_read_usd_per_mtok").is_not_null(),
    )


def with_ranks(priced: pl.DataFrame) -> pl.DataFrame:
    """Rank and frontier of each model in its mix, and those of the even mix among the same models."""
    even = priced.filter(pl.col("mix") == "even").select("model", usd_even="usd_per_mtok")
    both = priced.join(even, on="model")
    ranked = both.with_columns(
        rank=pl.col("usd_per_mtok").rank("min").over("mix").cast(pl.Int64),
        rank_even=pl.col("usd_even").rank("min").over("mix").cast(pl.Int64),
    )
    rated = ranked.filter(pl.col("score").is_not_null())
    frame = rated["mix"].rank("dense").to_numpy()
    found = {
        name: non_dominated(np.column_stack([floats(rated, usd), -floats(rated, "score")]), within=frame)
        for name, usd in (("on_frontier", "usd_per_mtok"), ("on_frontier_even", "usd_even"))
    }
    marked = rated.select("model", "mix", *(pl.Series(name, values, dtype=pl.Boolean) for name, values in found.items()))
    return ranked.join(marked, on=["model", "mix"], how="left")


def effect(part: pl.DataFrame, even: pl.DataFrame) -> dict[str, object]:
    """What one mix changes. `part` and `even`: rows of `PriceByMix` of that mix and of the even one."""
    both = part.join(even.select("model", usd_even="usd_per_mtok"), on="model")
    usd, usd_even = floats(both, "usd_per_mtok"), floats(both, "usd_even")
    here, there = pl.col("on_frontier").fill_null(False), pl.col("on_frontier_even").fill_null(False)
    low, high = np.quantile(usd, [0.1, 0.9])
    return {
        "models": both.height,
        "median_ratio_to_even": float(np.median(usd / usd_even)),
        "dispersion": float(high / low),
        "pairs_in_other_order": discordant_share(before=usd_even, after=usd),
        "frontier_models": part.filter(here).height,
        "frontier_entered": listed(part.filter(here & ~there)["model"]),
        "frontier_left": listed(part.filter(there & ~here)["model"]),
    }


def listed(names: pl.Series) -> str | None:
    """Names in a row; NULL for none."""
    return ", ".join(sorted(names)) or None

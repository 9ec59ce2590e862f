"""Contracts of what follows from use and prices paid: blends, R, volumes and dollars, price cuts, rents, named workloads."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, column
from schemas.prices.frontier import PRICE_BASES
from schemas.prices.market import TOKENS, VARIANT_MEANING
from schemas.prices.market_split import TIERS

MIXES = ("even", "three_to_one", "market", "own")
MIX_MEANING = (
    "even: one token in, one out, nothing cached (cpm); three_to_one: the blend of price trackers; market: all paid traffic of "
    "the router in its last whole month; own: the model's own traffic in that month"
)
WORKLOADS = ("market", "chat", "agent", "long_context", "code")
WORKLOAD_MEANING = (
    "market: all paid traffic; code: models whose name says so; of the others chat: less than 8,000 tokens in a mean prompt; "
    "agent: 8,000 to 40,000, half or more of it from cache; long_context: more than 40,000"
)
DOLLAR_BASES = ("paid_then", "paid_moved_by_list", "unknown")
DOLLAR_BASIS_MEANING = (
    "paid_then: mean price paid in the month; paid_moved_by_list: mean price paid on the nearest day known, moved by the "
    "change of the list price in between where one is known; unknown: no price paid is known"
)
OF = ("model", "author", "seller")
MEASURES = ("tokens", "requests", "usd")
DIRECTIONS = ("dearer", "cheaper", "unchanged")


class WorkloadInUse(Table):
    """Named workloads from use: lengths, cached share and reasoning share by class of model, with their spread over models.

    For questions on serving and prices that need a workload and have none. A class is a rule on the mean use of a model's
    variant in the last whole month (version 1), not a measurement of single requests: requests vary far more than means of
    models do. Values pool all requests of the class; low and high are the 10th and 90th percentile over its models, each
    weighted by its requests. A sample: one router's paid traffic, much of it agents and coding.
    """

    workload: str = column(WORKLOAD_MEANING, isin=WORKLOADS, unique=True)
    month: pl.Date = column("first day of the month it is from", derived_from=("model_usage.month",))
    models: pl.Int64 = column("variants of models in the class", ge=1)
    requests: pl.Int64 = column("requests", unit="requests", ge=1, derived_from=("model_usage.requests",))
    input_tokens: float = column("mean prompt", unit="tokens", gt=0, derived_from=("model_usage.prompt_tokens",))
    input_tokens_low: float = column("10th percentile over models", unit="tokens", gt=0)
    input_tokens_high: float = column("90th percentile over models", unit="tokens", gt=0)
    output_tokens: float = column("mean billed output", unit="tokens", gt=0, derived_from=("model_usage.completion_tokens",))
    output_tokens_low: float = column("10th percentile over models", unit="tokens", gt=0)
    output_tokens_high: float = column("90th percentile over models", unit="tokens", gt=0)
    cached_share: float = column("share of the input read from cache", ge=0, le=1, derived_from=("model_usage.cached_tokens",))
    cached_share_low: float = column("10th percentile over models", ge=0, le=1)
    cached_share_high: float = column("90th percentile over models", ge=0, le=1)
    reasoning_share: float = column(
        "share of the output that is reasoning, as sellers report it",
        ge=0,
        le=1,
        derived_from=("model_usage.reasoning_tokens",),
    )
    reasoning_share_low: float = column("10th percentile over models", ge=0, le=1)
    reasoning_share_high: float = column("90th percentile over models", ge=0, le=1)
    rule_version: pl.Int64 = column("version of the rule that makes the classes", ge=1)

    class Config:
        name = "core.workload_in_use"


class PriceByMix(Table):
    """List price of each model in four mixes of input, cached input and output, its rank, and whether it is undominated.

    Prices are those of marts.price_frontier's rule: the developer's own, else the median of hosts. Cached input costs the
    listed cache price, input price where none is listed. A mix the user states is the macro marts.price_in_mix(input,
    output, cached). The market's mix is a sample: one router's traffic, much of it agents and coding.
    """

    model: str = column("canonical model", derived_from=("llm_price_current.model",))
    mix: str = column(MIX_MEANING, isin=MIXES)
    input_per_output: float = column("input tokens per output token", ge=0)
    cached_share: float = column("share of the input read from cache", ge=0, le=1)
    usd_per_mtok: float = column(
        "price per million tokens, input and output together",
        unit="usd_per_mtok",
        gt=0,
        derived_from=("llm_price_current.usd_per_mtok",),
    )
    input_usd_per_mtok: float = column(
        "list price of input", unit="usd_per_mtok", gt=0, derived_from=("llm_price_current.usd_per_mtok",)
    )
    cache_read_usd_per_mtok: float = column(
        "list price of input read from cache; NULL where none is listed",
        unit="usd_per_mtok",
        nullable=True,
        ge=0,
        derived_from=("llm_price_current.usd_per_mtok",),
    )
    output_usd_per_mtok: float = column(
        "list price of output", unit="usd_per_mtok", gt=0, derived_from=("llm_price_current.usd_per_mtok",)
    )
    cache_price_known: bool = column("a cache price is listed; else cached input is taken at the price of input")
    price_basis: str = column("whose price: the developer's own, else the median of hosts", isin=PRICE_BASES)
    rank: pl.Int64 = column("1 is the cheapest of the mix", ge=1)
    rank_even: pl.Int64 = column("rank of the same model in the even mix, among the same models", ge=1)
    score: float = column(
        "capability on Epoch's index; NULL if not rated", unit="scale points", nullable=True, derived_from=("capability.score",)
    )
    on_frontier: bool = column("no rated model is at least as good and cheaper in this mix; NULL if not rated", nullable=True)
    on_frontier_even: bool = column("the same in the even mix, among the same models", nullable=True)

    class Config:
        name = "marts.price_by_mix"
        unique = ["model", "mix"]


class MixEffect(Table):
    """What a mix changes against the even one: the order of models, who is undominated, and which tier a model falls in."""

    mix: str = column(MIX_MEANING, isin=MIXES, unique=True, derived_from=("price_by_mix.mix",))
    models: pl.Int64 = column("models priced in the mix", ge=1)
    median_ratio_to_even: float = column(
        "median over models of the price in the mix over that in the even mix",
        gt=0,
        derived_from=("price_by_mix.usd_per_mtok",),
    )
    dispersion: float = column("90th over 10th percentile of the price over models", ge=1)
    pairs_in_other_order: float = column(
        "share of the pairs of models that stand in another order than in the even mix", ge=0, le=1
    )
    frontier_models: pl.Int64 = column("undominated models", ge=0, derived_from=("price_by_mix.on_frontier",))
    frontier_entered: str = column("undominated here and not in the even mix", nullable=True)
    frontier_left: str = column("undominated in the even mix and not here", nullable=True)
    tiers_changed: str = column(
        "models of another tier of the market split when the mix prices them",
        nullable=True,
        derived_from=("llm_price_current.usd_per_mtok",),
    )

    class Config:
        name = "marts.mix_effect"


class VolumeWeightedIndex(Table):
    """Developers' list prices month by month, each model weighted by what was spent on it, beside the unweighted index.

    Both are chains of the same matched models, priced in their own mix of input and output (monthly history has no cache
    prices). Weights are the dollars of the last whole month of use and do not move, so far from it the basket is another
    one: `weight_covered` says how much of the money the link compares. 1 in the month of the weights.
    """

    as_of: pl.Date = column("last day of the month", unique=True, derived_from=("monthly_price.as_of",))
    value: float = column(
        "index weighted by dollars", unit="ratio", gt=0, derived_from=("monthly_price.input_usd_per_mtok", "market_volume.usd")
    )
    unweighted: float = column("the same models, all alike", unit="ratio", gt=0)
    models_matched: pl.Int64 = column(
        "models with a price this month and the one before; NULL on the first", nullable=True, ge=0
    )
    weight_covered: float = column(
        "share of the dollars whose models are matched; NULL on the first", nullable=True, ge=0, le=1
    )

    class Config:
        name = "marts.volume_weighted_index"


class ReasoningFactor(Table):
    """R from use: billed over visible output tokens of each model by month, with the tokens of an answer and their spread.

    Pools the paid variants and snapshots of a canonical model. An answer is a request, whatever it asks: a turn of an agent
    counts like an essay. low and high are the least and greatest of the model over months and snapshots with 10,000
    requests, which is a spread of means and no interval of single answers. A sample: one router's traffic.
    """

    model: str = column("canonical model", derived_from=("model_usage.model",))
    month: pl.Date = column("first day of the month", derived_from=("model_usage.month",))
    requests: pl.Int64 = column("requests", unit="requests", ge=1, derived_from=("model_usage.requests",))
    reasoning_factor: float = column(
        "R, billed over visible output tokens",
        ge=1,
        derived_from=("model_usage.completion_tokens", "model_usage.reasoning_tokens"),
    )
    reasoning_factor_low: float = column("least over months and snapshots", ge=1)
    reasoning_factor_high: float = column("greatest over months and snapshots", ge=1)
    billed_tokens_per_answer: float = column(
        "mean billed output of a request", unit="tokens", gt=0, derived_from=("model_usage.completion_tokens",)
    )
    billed_tokens_per_answer_low: float = column("least over months and snapshots", unit="tokens", gt=0)
    billed_tokens_per_answer_high: float = column("greatest over months and snapshots", unit="tokens", gt=0)
    visible_tokens_per_answer: float = column("mean output of a request without reasoning", unit="tokens", gt=0)
    rows_pooled: pl.Int64 = column("snapshots and variants of the month behind it", ge=1)
    rows_in_spread: pl.Int64 = column("months, snapshots and variants behind low and high", ge=1)

    @pa.dataframe_check(description="the spread holds the value")
    def spread_holds_value(cls, data: pa.PolarsData) -> pl.LazyFrame:
        slack = 1e-9
        inside = (pl.col("reasoning_factor") >= pl.col("reasoning_factor_low") * (1 - slack)) & (
            pl.col("reasoning_factor") <= pl.col("reasoning_factor_high") * (1 + slack)
        )
        return data.lazyframe.select(inside)

    class Config:
        name = "marts.reasoning_factor"
        unique = ["model", "month"]


class MarketVolume(Table):
    """Tokens, requests and dollars of each model, variant and month at one router, with the model's tier.

    Dollars are price paid times volume: the mean price paid over sellers (input with its cache, output), times the month's
    tokens. Prices paid are known for few days; `dollar_basis` says how a month got its price. No free variant has dollars.
    Tiers are those of the market split (version 1 of its rule) on the day; models that no index rates are mostly
    unclassified. A sample: one router's traffic, much of it agents and coding, tokens of each seller's own tokenizer.
    """

    month: pl.Date = column("first day of the month", derived_from=("model_usage.month",))
    source_model: str = column("model, as the router writes it", derived_from=("model_usage.source_model",))
    variant: str = column(VARIANT_MEANING, derived_from=("model_usage.variant",))
    model: str = column("canonical model", nullable=True, derived_from=("model_usage.model",))
    author: str = column("who trained the model", derived_from=("model_usage.author",))
    is_free: bool = column("nobody pays for it", derived_from=("model_usage.is_free",))
    tier: str = column(
        "frontier_reasoning, commodity or unclassified", isin=TIERS, derived_from=("llm_price.usd_per_mtok", "capability.score")
    )
    tier_as_of: pl.Date = column(
        "day whose prices gave the tier: the middle of the month, or the first later day on which a price was known",
        nullable=True,
    )
    days: pl.Int64 = column("days counted", unit="days", ge=1, derived_from=("model_usage.days",))
    requests: pl.Int64 = column("requests", unit="requests", ge=1, derived_from=("model_usage.requests",))
    tokens: pl.Int64 = column(
        "input and output", unit=TOKENS, ge=0, derived_from=("model_usage.prompt_tokens", "model_usage.completion_tokens")
    )
    usd: float = column(
        "dollars; NULL where nobody pays or no price paid is known",
        unit="usd",
        nullable=True,
        ge=0,
        derived_from=("price_paid.input_usd_per_mtok", "price_paid.output_usd_per_mtok"),
    )
    dollar_basis: str = column(DOLLAR_BASIS_MEANING + "; NULL for free variants", isin=DOLLAR_BASES, nullable=True)

    @pa.dataframe_check(description="no free variant has dollars")
    def free_has_no_dollars(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(~pl.col("is_free") | pl.col("usd").is_null())

    class Config:
        name = "marts.market_volume"
        unique = ["source_model", "variant", "month"]


class MarketVolumeByTier(Table):
    """Where tokens, requests and dollars go, by tier of the market split and month. Free variants are a row of their own."""

    month: pl.Date = column("first day of the month", derived_from=("market_volume.month",))
    tier: str = column(
        "frontier_reasoning, commodity, unclassified, or free", isin=(*TIERS, "free"), derived_from=("market_volume.tier",)
    )
    variants: pl.Int64 = column("models and variants", ge=1)
    requests: pl.Int64 = column("requests", unit="requests", ge=1, derived_from=("market_volume.requests",))
    tokens: pl.Int64 = column("input and output", unit=TOKENS, ge=0, derived_from=("market_volume.tokens",))
    usd: float = column("dollars; 0 only where nobody pays", unit="usd", ge=0, derived_from=("market_volume.usd",))
    request_share: float = column("share of the month's requests", ge=0, le=1)
    token_share: float = column("share of the month's tokens", ge=0, le=1)
    usd_share: float = column("share of the month's dollars", ge=0, le=1)
    tokens_without_price: float = column("share of the tier's tokens whose price paid is not known", ge=0, le=1)
    usd_per_mtok: float = column(
        "dollars over the tokens that have a price; NULL where none has", unit="usd_per_mtok", nullable=True, ge=0
    )

    class Config:
        name = "marts.market_volume_by_tier"
        unique = ["month", "tier"]


class MarketConcentration(Table):
    """How concentrated one router's market is, and who came and went, by month: over models, their authors, and sellers.

    Sellers are known by tokens of a few days only. A model has entered that had no 1,000 requests in the month before;
    months are partial at both ends, so entry and exit of the first and last month are partly the calendar's.
    """

    month: pl.Date = column(
        "first day of the month; for sellers of the month of the day", derived_from=("market_volume.month", "price_paid.as_of")
    )
    of: str = column("over what: models, their authors, or sellers", isin=OF)
    measure: str = column("of what: tokens, requests or dollars", isin=MEASURES)
    n: pl.Int64 = column("how many have a share", ge=1)
    herfindahl: float = column("sum of squared shares: 1 for one, 1/n for n alike", gt=0, le=1)
    largest: str = column("who has the largest share")
    largest_share: float = column("its share", gt=0, le=1)
    top5_share: float = column("share of the five largest", gt=0, le=1)
    entered: pl.Int64 = column("new since the month before; NULL where none is known", nullable=True, ge=0)
    entered_share: float = column("their share of this month", nullable=True, ge=0, le=1)
    left: pl.Int64 = column("gone since the month before", nullable=True, ge=0)
    left_share: float = column("their share of the month before", nullable=True, ge=0, le=1)

    class Config:
        name = "marts.market_concentration"
        unique = ["month", "of", "measure"]


class PriceCutEvent(Table):
    """What the volume of a model did after a dated change of its developer's list price, beside models whose price stood still.

    An event study, not a cause: the tokens a day of the month with the change against those of the months before and after,
    over the same change of models whose list price did not move. `expected_low` and `expected_high` hold 95 % of those models,
    so a change within them is one that happens without a change of price. Months are partial; a change late in a month puts
    a few of its days before. A model that came within the first month was growing anyway: it is marked.
    """

    model: str = column("canonical model", derived_from=("llm_price.model",))
    changed_on: pl.Date = column("first day of the new price", derived_from=("llm_price.valid_from",))
    date_basis: str = column("whose date it is", derived_from=("llm_price.date_basis",))
    month_before: pl.Date = column("first of the two months compared", derived_from=("model_usage.month",))
    month_after: pl.Date = column("second of them; the change lies within the two", derived_from=("model_usage.month",))
    price_ratio: float = column(
        "new over old price, in the market's mix of input and output", gt=0, derived_from=("llm_price.usd_per_mtok",)
    )
    volume_ratio: float = column("tokens a day after over before", gt=0, derived_from=("model_usage.prompt_tokens",))
    expected_ratio: float = column("median of the same over models whose price stood still", gt=0)
    expected_low: float = column("2.5th percentile over those models", gt=0)
    expected_high: float = column("97.5th percentile over those models", gt=0)
    controls: pl.Int64 = column("models whose price stood still", ge=1)
    excess_ratio: float = column("volume ratio over the expected one", gt=0)
    elasticity: float = column("logarithm of the excess over that of the price ratio; below 0 volume rose as the price fell")
    elasticity_low: float = column("the same with the volume the controls' range allows, lower end")
    elasticity_high: float = column("upper end")
    came_in_first_month: bool = column("the model had its first day within the month before: it was growing anyway")

    class Config:
        name = "marts.price_cut_event"
        unique = ["model", "changed_on"]


class GpuRentChange(Table):
    """How the rent of a GPU moved over the days that are known, with its sign: times cheaper, so below 1 it became dearer.

    The interval is Student's of the mean daily change (a random walk). Over less than a year the rate per year is the change
    of this span stretched, not a forecast; the interval says how far. Terms, statistics and markets are never mixed.
    """

    provider: str = column("market or publisher", derived_from=("gpu_rent_daily.provider",))
    gpu: str = column("canonical GPU, else as the source writes it", derived_from=("gpu_rent_daily.gpu",))
    term: str = column("what is bought", derived_from=("gpu_rent_daily.term",))
    statistic: str = column("price, or quantile over offers", derived_from=("gpu_rent_daily.statistic",))
    first_on: pl.Date = column("first day", derived_from=("gpu_rent_daily.as_of",))
    last_on: pl.Date = column("last day", derived_from=("gpu_rent_daily.as_of",))
    days: pl.Int64 = column("days with a price", unit="days", ge=2)
    first_usd_per_gpu_hour: float = column(
        "price on the first day", unit="usd_per_gpu_hour", gt=0, derived_from=("gpu_rent_daily.usd_per_gpu_hour",)
    )
    last_usd_per_gpu_hour: float = column(
        "price on the last day", unit="usd_per_gpu_hour", gt=0, derived_from=("gpu_rent_daily.usd_per_gpu_hour",)
    )
    fall: float = column("first over last price: times cheaper; below 1 dearer", gt=0)
    factor_per_year: float = column("times cheaper per year at this pace", gt=0)
    factor_per_year_low: float = column("lower end of its 95 % interval", nullable=True, ge=0)
    factor_per_year_high: float = column("upper end of that interval", nullable=True, gt=0)
    direction: str = column("dearer, cheaper or unchanged from the first day to the last", isin=DIRECTIONS)
    pace_is_sure: bool = column("the interval of the pace per year excludes 1; NULL without one", nullable=True)

    class Config:
        name = "marts.gpu_rent_change"
        unique = ["provider", "gpu", "term", "statistic"]


class HardwareFactorByDay(Table):
    """The hardware factor of price compression from daily rents, with its sign: times cheaper to serve by hardware alone.

    Every cell of the serving grid keeps its model, workload, contract and GPU-hours per token, and takes the cheapest of the
    GPUs with a rental index, at the index of the first day and of each later month's end. Above 1 serving became cheaper,
    below 1 dearer. The factor over years in marts.price_compression rests on list prices of other sellers; this one on one
    index over few months. low and high are the 5th and 95th percentile over cells.
    """

    first_on: pl.Date = column("first day of the index", derived_from=("gpu_rent_daily.as_of",))
    last_on: pl.Date = column("last day compared", unique=True, derived_from=("gpu_rent_daily.as_of",))
    gpus: str = column("GPUs with an index and a place in the grid", derived_from=("gpu_rent_daily.gpu",))
    cells: pl.Int64 = column("cells of the grid that some of them serve on both days", ge=1)
    factor: float = column(
        "times cheaper from the first day to the last, median over cells",
        gt=0,
        derived_from=("gpu_rent_daily.usd_per_gpu_hour", "break_even_surface.gpu_usd_per_hour"),
    )
    factor_low: float = column("5th percentile over cells", gt=0)
    factor_high: float = column("95th percentile over cells", gt=0)
    direction: str = column("dearer, cheaper or unchanged, by the median cell", isin=DIRECTIONS)

    class Config:
        name = "marts.hardware_factor_by_day"

"""What follows from use alone: named workloads, and R with the tokens of an answer."""

from datetime import date

import polars as pl

from assets.frames import under_contract
from schemas.prices import market_answers as contract
from warehouse.table import table

GROUP = "market"
RULE_VERSION = 1
CODE = r"(?:^|[/-])(?:code|coder|codex|codestral|devstral|kat-coder|laguna|swe)"
"""Names that say a model is made for code, in lines of models that say so."""
SHORT, LONG = 8_000, 40_000
"""Mean prompts, in tokens, below which a model is asked in chats and above which in long contexts."""
FROM_CACHE = 0.5
LEAST_REQUESTS = 10_000
"""Requests of a month from which a mean is worth comparing with others."""
MOST_OF_A_MONTH = 28
"""Days from which a month counts as whole."""
SPREAD = (0.1, 0.9)


@table(schema=contract.WorkloadInUse, group=GROUP)
def workload_in_use(model_usage: pl.DataFrame) -> pl.DataFrame:
    """Every class of the last whole month."""
    month = last_whole_month(model_usage)
    paid = with_class(asked_and_answered(model_usage).filter(pl.col("month") == month))
    of_class = paid.filter(pl.col("workload").is_not_null())
    both = pl.concat([paid.with_columns(workload=pl.lit("market")), of_class])
    pooled = both.group_by("workload", "month").agg(*_pooled(), rule_version=pl.lit(RULE_VERSION, pl.Int64).first())
    order = pl.col("workload").replace_strict({name: at for at, name in enumerate(contract.WORKLOADS)})
    return under_contract(contract.WorkloadInUse, pooled).sort(order)


@table(schema=contract.ReasoningFactor, group=GROUP)
def reasoning_factor(model_usage: pl.DataFrame) -> pl.DataFrame:
    """Every model and month whose reasoning is reported, or known to be none."""
    told = model_usage.filter(
        pl.col("model").is_not_null(),
        pl.col("reasoning_factor").is_not_null(),
        ~pl.col("is_free"),
        pl.col("variant") != "batch",
    )
    return under_contract(contract.ReasoningFactor, pooled_factor(told)).sort("month", "requests", descending=True)


def last_whole_month(use: pl.DataFrame) -> date:
    """First day of the newest month that is counted whole; of none, of the one with most days. `use`: contract `ModelUsage`."""
    months = use.group_by("month").agg(pl.col("days").max()).sort("days", "month")
    whole = months.filter(pl.col("days") >= MOST_OF_A_MONTH)
    month = (whole if whole.height else months).sort("month" if whole.height else "days")["month"][-1]
    assert isinstance(month, date)
    return month


def asked_and_answered(use: pl.DataFrame) -> pl.DataFrame:
    """Paid variants that take and give text tokens: no embeddings, no images, nothing free. `use`: contract `ModelUsage`."""
    return use.filter(~pl.col("is_free"), pl.col("prompt_tokens") > 0, pl.col("completion_tokens") > 0)


def with_class(use: pl.DataFrame) -> pl.DataFrame:
    """Class of each variant by version 1 of the rule, see contract `WorkloadInUse`; NULL where none fits."""
    prompt = pl.col("input_tokens_per_request")
    return use.with_columns(
        workload=pl.when(pl.col("source_model").str.contains(CODE))
        .then(pl.lit("code"))
        .when(prompt < SHORT)
        .then(pl.lit("chat"))
        .when(prompt > LONG)
        .then(pl.lit("long_context"))
        .when(pl.col("cached_share") >= FROM_CACHE)
        .then(pl.lit("agent"))
    )


def pooled_factor(told: pl.DataFrame) -> pl.DataFrame:
    """R and tokens per answer by model and month over snapshots and variants, with the spread over all of a model's months."""
    visible = pl.col("completion_tokens") - pl.col("reasoning_tokens")
    pooled = told.group_by("model", "month").agg(
        pl.col("requests").sum(),
        reasoning_factor=pl.col("completion_tokens").sum() / visible.sum(),
        billed_tokens_per_answer=pl.col("completion_tokens").sum() / pl.col("requests").sum(),
        visible_tokens_per_answer=visible.sum() / pl.col("requests").sum(),
        rows_pooled=pl.len().cast(pl.Int64),
    )
    many = told.filter(pl.col("requests") >= LEAST_REQUESTS)
    names = {"reasoning_factor": "reasoning_factor", "billed_tokens_per_answer": "output_tokens_per_request"}
    ends = {
        f"{name}_{end}": getattr(pl.col(column), of)()
        for name, column in names.items()
        for end, of in (("low", "min"), ("high", "max"))
    }
    spread = many.group_by("model").agg(**ends, rows_in_spread=pl.len().cast(pl.Int64))
    joined = pooled.join(spread, on="model", how="left").with_columns(pl.col("rows_in_spread").fill_null(pl.col("rows_pooled")))
    # A pooled mean lies within its rows; rows of few requests are pooled and not in the spread, which they may leave.
    return joined.with_columns(
        *(pl.min_horizontal(f"{name}_low", name).alias(f"{name}_low") for name in names),
        *(pl.max_horizontal(f"{name}_high", name).alias(f"{name}_high") for name in names),
    )


def _pooled() -> list[pl.Expr]:
    """Means over all requests of a class, and percentiles over its models, each weighted by its requests."""
    requests = pl.col("requests")
    parts = {
        "input_tokens": ("prompt_tokens", "requests", "input_tokens_per_request"),
        "output_tokens": ("completion_tokens", "requests", "output_tokens_per_request"),
        "cached_share": ("cached_tokens", "prompt_tokens", "cached_share"),
        "reasoning_share": ("reasoning_tokens", "completion_tokens", "reasoning_share"),
    }
    found = [pl.len().cast(pl.Int64).alias("models"), requests.sum()]
    for name, (over, under, of_model) in parts.items():
        found.append((pl.col(over).sum() / pl.col(under).sum()).alias(name))
        for end, at in zip(("low", "high"), SPREAD, strict=True):
            found.append(_weighted_quantile(pl.col(of_model), requests, at).alias(f"{name}_{end}"))
    return found


def _weighted_quantile(values: pl.Expr, weights: pl.Expr, at: float) -> pl.Expr:
    """Least value that models with this share of all requests do not exceed."""
    known = values.is_not_null()
    by_value, weight = values.filter(known).sort(), weights.filter(known).sort_by(values.filter(known))
    return by_value.filter(weight.cum_sum() >= at * weight.sum()).first()

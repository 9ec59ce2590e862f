"""What each answer of a table cost: as stated, nothing, or its tokens at a price."""

import polars as pl

from answers.route.cells import refuse
from answers.route.files import RefusedTableError
from answers.route.prices import CHARS_PER_TOKEN, Prices
from answers.route.reading import OF_ANSWER, Reading

ABOVE_ZERO = "must be above 0 (of a model that costs nothing say --free MODEL)"


def costed(
    known: pl.DataFrame, fields: dict[str, str], prices: Prices, names: list[str], reading: Reading
) -> tuple[pl.DataFrame, str]:
    """The rows with cost_usd: as stated, or from tokens and prices."""
    bases, expr = set(), pl.lit(None, pl.Float64)
    for name in names:
        part, basis = cost_of(known, {c: c for c in OF_ANSWER}, prices, name, free=name in reading.free)
        expr = pl.when(pl.col("model") == name).then(part).otherwise(expr)
        bases.add(basis)
    known = known.with_columns(cost_usd=expr)
    at_zero = (pl.col("cost_usd") == 0.0) & ~pl.col("model").is_in(list(reading.free) or [""])
    refuse(known, at_zero, column=fields.get("cost_usd", "cost"), rule=ABOVE_ZERO, value="cost_usd")
    return known, "; ".join(sorted(bases))


def refuse_zero_costs(known: pl.DataFrame, names: list[str], sources: dict[str, str], reading: Reading) -> None:
    """Refuse a cost of 0 of a model that is not said to be free; `sources` names the column of each model."""
    for name in names:
        if name not in reading.free:
            column = f"cost_usd:{name}"
            refuse(known, pl.col(column) == 0.0, column=sources[name], rule=ABOVE_ZERO, value=column)


def cost_of(known: pl.DataFrame, at: dict[str, str], prices: Prices, name: str, *, free: bool) -> tuple[pl.Expr, str]:
    """What an answer of a model costs: nothing, as stated, or its tokens at a price; the characters stand for tokens last."""
    if free:
        return pl.lit(0.0), f"{name} free"
    has = {kind: column for kind, column in at.items() if column in known.columns}
    if "cost_usd" in has and name not in prices.said and prices.day is None:
        return pl.col(has["cost_usd"]), "cost as stated"
    price = prices.of(name)
    if "input_tokens" in has and "output_tokens" in has:
        tokens_in, tokens_out, basis = pl.col(has["input_tokens"]), pl.col(has["output_tokens"]), "tokens"
    elif "prompt_chars" in known.columns:
        tokens_in = pl.col("prompt_chars") / CHARS_PER_TOKEN
        written = has.get("response_chars")
        if written is not None and known[written].null_count() == known.height:
            written = None
        tokens_out = (pl.col(written) if written else pl.lit(0.0)) / CHARS_PER_TOKEN
        basis = f"characters / {CHARS_PER_TOKEN:g} as tokens" + ("" if written else ", prompts only: answers are not recorded")
    else:
        raise RefusedTableError(
            f"column cost_usd: none for {name}; give the cost, input and output tokens, or the prompts, or say --free {name}"
        )
    cost = (tokens_in * price.input_usd_per_mtok + tokens_out * price.output_usd_per_mtok) / 1e6
    return cost, f"{name}: {basis} at {price.input_usd_per_mtok:g}/{price.output_usd_per_mtok:g} USD per Mtok ({price.basis})"

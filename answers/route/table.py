"""The outcomes `iecon route` judges: a user's table, read, typed, joined by item, and refused with row, column and rule."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from answers.route.columns import models_of, named, no_such, scores_of
from answers.route.files import ROW, STRATEGY, BadUsageError, RefusedTableError, read_files
from answers.route.prices import CHARS_PER_TOKEN, Prices

TRUTHS = {"true": 1.0, "yes": 1.0, "correct": 1.0, "false": 0.0, "no": 0.0, "incorrect": 0.0, "wrong": 0.0}
SHOWN = 5
NUMBERS = {
    "correct": (0.0, 1.0, "must be a number from 0 to 1"),
    "cost_usd": (0.0, np.inf, "must be a number, 0 or above"),
    "input_tokens": (0.0, np.inf, "must be a number, 0 or above"),
    "output_tokens": (0.0, np.inf, "must be a number, 0 or above"),
    "controller_cost_usd": (0.0, np.inf, "must be a number, 0 or above"),
    "seen_by_router": (0.0, 1.0, "must be 0 or 1"),
    "latency_s": (0.0, np.inf, "must be a number, 0 or above"),
    "latency_ms": (0.0, np.inf, "must be a number, 0 or above"),
    "turn": (-np.inf, np.inf, "must be a number"),
    "prompt_chars": (0.0, np.inf, "must be a number, 0 or above"),
    "response_chars": (0.0, np.inf, "must be a number, 0 or above"),
}
OF_ANSWER = ("correct", "cost_usd", "input_tokens", "output_tokens", "latency_s", "response_chars")
OF_ITEM = ("controller_cost_usd", "seen_by_router", "group", "turn", "category", "prompt_chars", "prompt_hash")
PROMPT_LENGTH = "prompt_length"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read the files. Names as the user gave them."""

    mapping: dict[str, str] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    """Only these; none: all."""
    free: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    low_is_hard: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Outcomes of every model on every item that all of them have, one row per item."""

    models: tuple[str, ...]
    items: pl.DataFrame
    """item, and those of OF_ITEM that the table has."""
    quality: NDArray[np.float64]
    """(items, models)"""
    cost: NDArray[np.float64]
    input_tokens: NDArray[np.float64] | None
    latency_s: NDArray[np.float64] | None
    scores: dict[str, NDArray[np.float64]]
    """High goes to the strong model."""
    routers: pl.DataFrame
    """strategy, item, model, correct, cost_usd: what routers that ran chose; empty where the table has none."""
    samples: pl.DataFrame
    """item, model, answer, correct, cost_usd of answers that were sampled more than once; empty where none was."""
    missing: dict[str, int]
    """Items left out because the outcome of a model is missing, per model."""
    cost_basis: str
    notes: tuple[str, ...]


def read_outcomes(files: list[Path], *, reading: Reading | None = None, prices: Prices | None = None) -> Table:
    """Read long or wide tables of outcomes.

    Raises RefusedTableError with row, column and rule; BadUsageError where options do not fit the table.
    """
    reading = reading or Reading()
    prices = prices or Prices()
    rows = read_files(files)
    columns = rows.collect_schema().names()
    for column, value in reading.where.items():
        if column not in columns:
            raise BadUsageError(f"--where {column}={value}: {no_such(column, columns)}")
        rows = rows.filter(pl.col(column).cast(pl.String).str.strip_chars() == value)
    fields = named(columns, reading.mapping)
    long_shape = "model" in fields
    if not long_shape:
        fields.pop("correct", None)
        fields.pop("cost_usd", None)
        fields.pop("answer", None)
        fields.pop("response", None)
    scores = scores_of(columns, list(reading.scores), reading.mapping, set(fields.values()))
    try:
        if long_shape:
            return _long(rows, fields, scores, reading, prices)
        return _wide(rows, fields, scores, reading, prices)
    except PolarsError as error:
        raise RefusedTableError(f"cannot be read: {str(error).splitlines()[0]}") from None


def _long(rows: pl.LazyFrame, fields: dict[str, str], scores: dict[str, str], reading: Reading, prices: Prices) -> Table:
    for name in ("item", "correct"):
        if name not in fields and not (name == "item" and "prompt" in fields):
            raise RefusedTableError(
                f"row 1, column {name}: there is none; say which it is: --map {name}=COLUMN (columns: "
                f"{', '.join(c for c in rows.collect_schema().names() if c != ROW)})"
            )
    schema = rows.collect_schema()
    picked = [pl.col(ROW), _item(schema, fields), _text(schema, fields["model"]).cast(pl.Categorical).alias("model")]
    picked += _picked(schema, fields, scores)
    if STRATEGY in fields:
        picked.append(_text(schema, fields[STRATEGY]).alias(STRATEGY))
    if "answer" in fields:
        picked.append(_text(schema, fields["answer"]).alias("answer"))
    known = rows.select(picked).collect(engine="streaming")
    _refuse_empty(known)
    _check(known, rows, {**fields, **{f"score:{name}": column for name, column in scores.items()}})
    _refuse(known, pl.col("item").is_null(), column=fields.get("item", "item"), rule="must name an item")
    _refuse(known, pl.col("model").is_null(), column=fields["model"], rule="must name a model")
    routers = pl.DataFrame(schema={STRATEGY: pl.String, "item": pl.String, "model": pl.String, "correct": pl.Float64, "cost_usd": pl.Float64})  # fmt: skip
    notes = []
    if STRATEGY in known.columns:
        known, routers = _without_routers(known)
        notes.append(f"routers that ran: {', '.join(routers[STRATEGY].unique().sort()) or 'none'}")
    names = _wanted(known["model"].unique().cast(pl.String).drop_nulls().sort().to_list(), reading)
    known = known.filter(pl.col("model").is_in(names))
    known, basis = _costed(known, fields, prices, names, reading)
    of_item = [name for name in (*OF_ITEM, *(f"score:{name}" for name in scores)) if name in known.columns]
    samples = known.select("item").clear()
    sides = []
    for name in names:
        side = known.filter(pl.col("model") == name)
        answered = [column for column in OF_ANSWER if column in side.columns]
        if side["item"].is_duplicated().any():
            if "answer" in side.columns:
                # The order of the file is the order in which the answers were drawn.
                drawn = side.select("item", "model", "answer", "correct", "cost_usd", ROW).with_columns(pl.col("model").cast(pl.String))
                samples = drawn if samples.width == 1 else pl.concat([samples, drawn])
            _one_per_item(side, of_item, fields)
            side = side.group_by("item", maintain_order=True).agg(
                pl.col(answered).mean(), pl.col(of_item).first(), pl.col(ROW).first(), samples=pl.len()
            )
            drawn_of_each = side["samples"]
            notes.append(f"{name}: {drawn_of_each.sum():,} samples of {side.height:,} items, their mean per item")
        sides.append(side.select(ROW, "item", *of_item, *(pl.col(c).alias(f"{c}:{name}") for c in answered)))
    del known
    joined = sides.pop(0)
    while sides:
        joined = joined.join(sides.pop(0), on="item", how="full", coalesce=True, suffix="_other", maintain_order="left_right")
        for name in [name for name in (ROW, *of_item) if f"{name}_other" in joined.columns]:
            if name != ROW:
                source = scores.get(name.removeprefix("score:"), fields.get(name, name))
                _refuse(joined, pl.col(name) != pl.col(f"{name}_other"), column=source, rule="must be one value per item", value=f"{name}_other")
            joined = joined.with_columns(pl.coalesce(name, f"{name}_other")).drop(f"{name}_other")
    return _table(joined, names, list(scores), routers=routers, samples=samples, basis=basis, notes=notes, reading=reading)


def _wide(rows: pl.LazyFrame, fields: dict[str, str], scores: dict[str, str], reading: Reading, prices: Prices) -> Table:
    schema = rows.collect_schema()
    sample = rows.head(1_000).collect()
    _refuse_empty(sample)

    def holds_shares(column: str) -> bool:
        values = sample.select(_number(schema, column, "correct"))[column].drop_nulls()
        return len(values) > 0 and bool(values.is_between(0.0, 1.0).all()) and not values.is_nan().any()

    taken = {*fields.values(), *scores.values()}
    of_models = models_of(schema.names(), taken, holds_shares)
    names = _wanted(sorted(of_models), reading)
    picked = [pl.col(ROW), _item(schema, fields), *_picked(schema, fields, scores)]
    cells: dict[str, str] = {f"score:{name}": column for name, column in scores.items()}
    for name in names:
        for kind, column in of_models[name].items():
            if kind == "response":
                chars = f"response_chars:{name}"
                if "response_chars" not in of_models[name]:
                    picked.append(pl.col(column).cast(pl.String).str.len_chars().cast(pl.Float64).alias(chars))
            else:
                picked.append(_number(schema, column, kind).alias(f"{kind}:{name}"))
                cells[f"{kind}:{name}"] = column
    known = rows.select(picked).collect(engine="streaming")
    _check(known, rows, {**fields, **cells})
    if known["item"].is_duplicated().any():
        _refuse(known, ~pl.col("item").is_first_distinct(), column=fields.get("item", "item"), rule="must be one row per item")
    bases = set()
    for name in names:
        part, basis = _cost_of(known, {c: f"{c}:{name}" for c in (*OF_ANSWER,)}, prices, name, free=name in reading.free)
        known = known.with_columns(part.alias(f"cost_usd:{name}"))
        bases.add(basis)
    _refuse_zero_costs(known, names, {n: of_models[n].get("cost_usd", "cost") for n in names}, reading)
    empty = pl.DataFrame(schema={STRATEGY: pl.String, "item": pl.String, "model": pl.String, "correct": pl.Float64, "cost_usd": pl.Float64})  # fmt: skip
    return _table(
        known, names, list(scores), routers=empty, samples=known.select("item").clear(), basis="; ".join(sorted(bases)),
        notes=["one column per model"], reading=reading,
    )  # fmt: skip


def _table(
    joined: pl.DataFrame,
    names: list[str],
    scores: list[str],
    *,
    routers: pl.DataFrame,
    samples: pl.DataFrame,
    basis: str,
    notes: list[str],
    reading: Reading,
) -> Table:
    """Items that every model has, with their scores."""
    if "prompt_chars" in joined.columns and (PROMPT_LENGTH in reading.scores or not scores):
        joined = joined.with_columns(pl.col("prompt_chars").alias(f"score:{PROMPT_LENGTH}"))
        scores = [*scores, PROMPT_LENGTH]
        if len(scores) == 1:
            notes = [*notes, "no score in the table: the length of the prompt stands for one"]
    absent = {name: pl.any_horizontal(pl.col(f"{c}:{name}").is_null() for c in ("correct", "cost_usd")) for name in names}
    missing = {name: int(joined.select(expr.sum()).item()) for name, expr in absent.items()}
    complete = joined.filter(~pl.any_horizontal(absent.values()))
    if complete.is_empty():
        raise RefusedTableError(f"no item has an outcome and a cost of all of {', '.join(names)}")
    for score in scores:
        known = complete[f"score:{score}"]
        if known.null_count():
            rule = "must be given for every item, or the column left out"
            _refuse(complete, pl.col(f"score:{score}").is_null(), column=score, rule=rule, value=f"score:{score}")
    complete = complete.sort(ROW) if "group" in complete.columns else complete

    def matrix(column: str) -> NDArray[np.float64]:
        return complete.select(f"{column}:{name}" for name in names).to_numpy().astype(np.float64)

    sign = -1.0 if reading.low_is_hard else 1.0
    latency = [f"latency_s:{name}" for name in names]
    tokens = [f"input_tokens:{name}" for name in names]
    return Table(
        models=tuple(names),
        items=complete.select("item", *(name for name in OF_ITEM if name in complete.columns)),
        quality=matrix("correct"),
        cost=matrix("cost_usd"),
        input_tokens=matrix("input_tokens") if set(tokens) <= set(complete.columns) else None,
        latency_s=matrix("latency_s") if set(latency) <= set(complete.columns) else None,
        scores={score: sign * complete[f"score:{score}"].to_numpy().astype(np.float64) for score in scores},
        routers=routers,
        samples=samples,
        missing={name: count for name, count in missing.items() if count},
        cost_basis=basis,
        notes=tuple(notes),
    )


def _without_routers(known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of single models, and what routers chose: a strategy with one model for all items is that model."""
    models = known.group_by(STRATEGY).agg(only=pl.col("model").n_unique(), model=pl.col("model").first())
    single = models.filter(pl.col("only") == 1).unique("model", keep="first", maintain_order=True)
    alone = known.join(single.select(STRATEGY), on=STRATEGY, how="semi")
    routed = known.join(models.filter(pl.col("only") > 1), on=STRATEGY, how="semi")
    kept = routed.select(STRATEGY, pl.col("item").cast(pl.String), pl.col("model").cast(pl.String), "correct", *(["cost_usd"] if "cost_usd" in known.columns else [pl.lit(None, pl.Float64).alias("cost_usd")]))  # fmt: skip
    if alone.is_empty():
        raise RefusedTableError("column strategy: none uses one model for all items, so there is nothing to compare routers with")
    return alone.drop(STRATEGY), kept


def _wanted(names: list[str], reading: Reading) -> list[str]:
    for name in (*reading.models, *reading.free):
        if name not in names:
            raise BadUsageError(f"{name}: {no_such(name, names)}")
    return [name for name in names if not reading.models or name in reading.models]


def _item(schema: pl.Schema, fields: dict[str, str]) -> pl.Expr:
    if "item" not in fields:
        # A wide table without names: a row is an item. A long one: the prompt is.
        return (_text(schema, fields["prompt"]) if "prompt" in fields and "model" in fields else pl.col(ROW)).alias("item")
    column = fields["item"]
    expr = _text(schema, column) if schema[column] == pl.String else pl.col(column)
    if "file" in schema and "model" not in fields:
        expr = pl.concat_str(pl.col("file"), pl.lit(":"), expr.cast(pl.String))
    return expr.alias("item")


def _picked(schema: pl.Schema, fields: dict[str, str], scores: dict[str, str]) -> list[pl.Expr]:
    picked = [_number(schema, fields[name], name).alias(name) for name in NUMBERS if name in fields and name != "latency_ms"]
    picked += [_number(schema, column, "score").alias(f"score:{name}") for name, column in scores.items()]
    picked += [_text(schema, fields[name]).alias(name) for name in ("group", "category") if name in fields]
    if "latency_ms" in fields and "latency_s" not in fields:
        picked.append((_number(schema, fields["latency_ms"], "latency_ms") / 1_000.0).alias("latency_s"))
    if "prompt" in fields:
        prompt = pl.col(fields["prompt"]).cast(pl.String)
        if "prompt_chars" not in fields:
            picked.append(prompt.str.len_chars().cast(pl.Float64).alias("prompt_chars"))
        picked.append(prompt.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars().hash().alias("prompt_hash"))
    if "response" in fields and "response_chars" not in fields:
        picked.append(pl.col(fields["response"]).cast(pl.String).str.len_chars().cast(pl.Float64).alias("response_chars"))
    return picked


def _text(schema: pl.Schema, column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.strip_chars().replace("", None)


def _number(schema: pl.Schema, column: str, kind: str) -> pl.Expr:
    """A column as numbers; what is not one becomes NaN, which is then refused by its row."""
    if schema[column] != pl.String:
        return pl.col(column).cast(pl.Float64, strict=False)
    text = pl.col(column).str.strip_chars()
    number = text.cast(pl.Float64, strict=False)
    if kind in ("correct", "seen_by_router"):
        number = number.fill_null(text.str.to_lowercase().replace_strict(TRUTHS, default=None, return_dtype=pl.Float64))
    return pl.when(text == "").then(None).otherwise(pl.when(text.is_not_null()).then(number.fill_null(float("nan"))))


def _check(known: pl.DataFrame, rows: pl.LazyFrame, sources: dict[str, str]) -> None:
    faults: list[str] = []
    for name in known.columns:
        kind, _, _ = name.partition(":")
        low, high, rule = NUMBERS.get(kind, (-np.inf, np.inf, "must be a number, finite"))
        if (kind in NUMBERS or kind == "score") and sources.get(name, sources.get(kind)) and known.schema[name] == pl.Float64:
            column = sources.get(name, sources[kind] if kind in sources else name)
            bad = known.filter(pl.col(name).is_nan() | pl.col(name).is_infinite() | ~pl.col(name).is_between(low, high))
            if bad.height:
                raw = rows.filter(pl.col(ROW).is_in(bad[ROW].head(SHOWN).implode())).select(ROW, column).collect()
                shown = raw.select(ROW, pl.col(column).cast(pl.String)).rows()
                faults += [f"row {row}, column {column}: {rule}, is {value}" for row, value in shown]
                faults += [f"and {bad.height - SHOWN:,} more in column {column}"] if bad.height > SHOWN else []
    if faults:
        raise RefusedTableError("\n".join(faults))


def _costed(
    known: pl.DataFrame, fields: dict[str, str], prices: Prices, names: list[str], reading: Reading
) -> tuple[pl.DataFrame, str]:
    """The rows with cost_usd: as stated, or from tokens and prices."""
    bases, expr = set(), pl.lit(None, pl.Float64)
    for name in names:
        part, basis = _cost_of(known, {c: c for c in OF_ANSWER}, prices, name, free=name in reading.free)
        expr = pl.when(pl.col("model") == name).then(part).otherwise(expr)
        bases.add(basis)
    known = known.with_columns(cost_usd=expr)
    at_zero = (pl.col("cost_usd") == 0.0) & ~pl.col("model").is_in(list(reading.free) or [""])
    _refuse(known, at_zero, column=fields.get("cost_usd", "cost"), rule=ABOVE_ZERO, value="cost_usd")
    return known, "; ".join(sorted(bases))


ABOVE_ZERO = "must be above 0 (of a model that costs nothing say --free MODEL)"


def _refuse_zero_costs(known: pl.DataFrame, names: list[str], sources: dict[str, str], reading: Reading) -> None:
    for name in names:
        if name not in reading.free:
            column = f"cost_usd:{name}"
            _refuse(known, pl.col(column) == 0.0, column=sources[name], rule=ABOVE_ZERO, value=column)


def _cost_of(known: pl.DataFrame, at: dict[str, str], prices: Prices, name: str, *, free: bool) -> tuple[pl.Expr, str]:
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
        tokens_out = (pl.col(written).fill_null(0.0) if written else pl.lit(0.0)) / CHARS_PER_TOKEN
        basis = f"characters / {CHARS_PER_TOKEN:g} as tokens" + ("" if written else ", prompts only: answers are not recorded")
    else:
        raise RefusedTableError(
            f"column cost_usd: none for {name}; give the cost, input and output tokens, or the prompts, or say --free {name}"
        )
    cost = (tokens_in * price.input_usd_per_mtok + tokens_out * price.output_usd_per_mtok) / 1e6
    return cost, f"{name}: {basis} at {price.input_usd_per_mtok:g}/{price.output_usd_per_mtok:g} USD per Mtok ({price.basis})"


def _one_per_item(side: pl.DataFrame, of_item: list[str], fields: dict[str, str]) -> None:
    for name in of_item:
        differs = pl.col(name) != pl.col(name).first().over("item")
        _refuse(side, differs, column=fields.get(name, name.removeprefix("score:")), rule="must be one value per item", value=name)


def _refuse_empty(known: pl.DataFrame) -> None:
    if known.is_empty():
        raise RefusedTableError("the table is empty: it has a header and no rows")


def _refuse(rows: pl.DataFrame, broken: pl.Expr, *, column: str, rule: str, value: str | None = None) -> None:
    at = value or column
    bad = rows.filter(broken)
    if bad.is_empty():
        return
    shown = bad.head(SHOWN).select(ROW, (pl.col(at) if at in bad.columns else pl.lit(None)).cast(pl.String).alias("value")).rows()
    faults = [f"row {row}, column {column}: {rule}, is {'empty' if cell is None else cell}" for row, cell in shown]
    more = [f"and {bad.height - SHOWN:,} more"] if bad.height > SHOWN else []
    raise RefusedTableError("\n".join(faults + more))

"""Long tables, a row per item and model, and wide ones, a column per model, as one row per item."""

import polars as pl

from answers.route.cells import NUMBERS, check, number_of, refuse, refuse_empty, text_of
from answers.route.columns import models_of
from answers.route.costs import cost_of, costed, refuse_zero_costs
from answers.route.files import ROW, STRATEGY, NotATableError, RefusedTableError
from answers.route.prices import Prices
from answers.route.reading import NO_ROUTERS, OF_ANSWER, OF_ITEM, Reading, Table, table_of, wanted_models


def read_long(rows: pl.LazyFrame, fields: dict[str, str], scores: dict[str, str], reading: Reading, prices: Prices) -> Table:
    """A row per item and model, or per item and strategy. Raises RefusedTableError, BadUsageError."""
    for name in ("item", "correct"):
        if name not in fields and not (name == "item" and "prompt" in fields):
            raise NotATableError(
                f"row 1, column {name}: there is none; say which it is: --map {name}=COLUMN (columns: "
                f"{', '.join(c for c in rows.collect_schema().names() if c != ROW)})"
            )
    schema = rows.collect_schema()
    picked = [pl.col(ROW), item_of(schema, fields), text_of(fields["model"]).cast(pl.Categorical).alias("model")]
    picked += fields_of(schema, fields, scores)
    if STRATEGY in fields:
        # Rows without a strategy are a model's own.
        picked.append(text_of(fields[STRATEGY]).fill_null(text_of(fields["model"])).alias(STRATEGY))
    if "answer" in fields:
        picked.append(text_of(fields["answer"]).alias("answer"))
    known = rows.select(picked).collect(engine="streaming")
    refuse_empty(known)
    check(known, rows, {**fields, **{f"score:{name}": column for name, column in scores.items()}})
    refuse(known, pl.col("item").is_null(), column=fields.get("item", "item"), rule="must name an item")
    refuse(known, pl.col("model").is_null(), column=fields["model"], rule="must name a model")
    routers = NO_ROUTERS
    notes = []
    of_routers: list[pl.DataFrame] = []
    if STRATEGY in known.columns:
        of_routers = _scores_of_routers(known, [f"score:{name}" for name in scores])
        scores = {frame.columns[1].removeprefix("score:"): column for frame in of_routers for column in scores.values()}
        known, routers = _without_routers(known)
        notes.append(f"routers that ran: {', '.join(routers[STRATEGY].unique().sort()) or 'none'}")
    names = wanted_models(known["model"].unique().cast(pl.String).drop_nulls().sort().to_list(), reading)
    known = known.filter(pl.col("model").is_in(names))
    known, basis = costed(known, fields, prices, names, reading)
    of_item = [name for name in (*OF_ITEM, *(f"score:{name}" for name in scores)) if name in known.columns]
    samples = known.select("item").clear()
    sides = []
    for name in names:
        side = known.filter(pl.col("model") == name)
        answered = [column for column in OF_ANSWER if column in side.columns]
        if side["item"].is_duplicated().any():
            if "answer" in side.columns:
                # The order of the file is the order in which the answers were drawn.
                drawn = side.select("item", "model", "answer", "correct", "cost_usd", ROW).with_columns(
                    pl.col("model").cast(pl.String)
                )
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
                refuse(
                    joined,
                    pl.col(name) != pl.col(f"{name}_other"),
                    column=source,
                    rule="must be one value per item",
                    value=f"{name}_other",
                )
            joined = joined.with_columns(pl.coalesce(name, f"{name}_other")).drop(f"{name}_other")
    for frame in of_routers:
        joined = joined.join(frame, on="item", how="left", maintain_order="left")
    return table_of(joined, names, list(scores), routers=routers, samples=samples, basis=basis, notes=notes, reading=reading)


def read_wide(rows: pl.LazyFrame, fields: dict[str, str], scores: dict[str, str], reading: Reading, prices: Prices) -> Table:
    """A row per item and columns per model. Raises RefusedTableError, BadUsageError."""
    schema = rows.collect_schema()
    sample = rows.head(1_000).collect()
    refuse_empty(sample)

    def holds_shares(column: str) -> bool:
        values = sample.select(number_of(schema, column, "correct")).to_series().drop_nulls()
        return len(values) > 0 and bool(values.is_between(0.0, 1.0).all()) and not values.is_nan().any()

    taken = {*fields.values(), *scores.values()}
    of_models = models_of(schema.names(), taken, holds_shares)
    names = wanted_models(sorted(of_models), reading)
    picked = [pl.col(ROW), item_of(schema, fields), *fields_of(schema, fields, scores)]
    cells: dict[str, str] = {f"score:{name}": column for name, column in scores.items()}
    for name in names:
        for kind, column in of_models[name].items():
            if kind == "response":
                chars = f"response_chars:{name}"
                if "response_chars" not in of_models[name]:
                    picked.append(pl.col(column).cast(pl.String).str.len_chars().cast(pl.Float64).alias(chars))
            else:
                picked.append(number_of(schema, column, kind).alias(f"{kind}:{name}"))
                cells[f"{kind}:{name}"] = column
    known = rows.select(picked).collect(engine="streaming")
    check(known, rows, {**fields, **cells})
    if known["item"].is_duplicated().any():
        refuse(known, ~pl.col("item").is_first_distinct(), column=fields.get("item", "item"), rule="must be one row per item")
    bases = set()
    for name in names:
        part, basis = cost_of(known, {c: f"{c}:{name}" for c in (*OF_ANSWER,)}, prices, name, free=name in reading.free)
        known = known.with_columns(part.alias(f"cost_usd:{name}"))
        bases.add(basis)
    refuse_zero_costs(known, names, {n: of_models[n].get("cost_usd", "cost") for n in names}, reading)
    return table_of(
        known,
        names,
        list(scores),
        routers=NO_ROUTERS,
        samples=known.select("item").clear(),
        basis="; ".join(sorted(bases)),
        notes=["one column per model"],
        reading=reading,
    )


def _scores_of_routers(known: pl.DataFrame, columns: list[str]) -> list[pl.DataFrame]:
    """The score of each strategy that has one for every item, under the strategy's name."""
    found = []
    for column in columns:
        rows = known.filter(pl.col(column).is_not_null()).unique([STRATEGY, "item"], keep="first", maintain_order=True)
        items = known["item"].n_unique()
        for (name,), part in rows.group_by(STRATEGY, maintain_order=True):
            if part.height == items and part[column].n_unique() > 1:
                found.append(part.select("item", pl.col(column).alias(f"score:{name}")))
    return found


def _without_routers(known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of single models, and what routers chose: a strategy with one model for all items is that model."""
    models = known.group_by(STRATEGY).agg(only=pl.col("model").n_unique(), model=pl.col("model").first())
    single = models.filter(pl.col("only") == 1).unique("model", keep="first", maintain_order=True)
    alone = known.join(single.select(STRATEGY), on=STRATEGY, how="semi")
    routed = known.join(models.filter(pl.col("only") > 1), on=STRATEGY, how="semi")
    cost = pl.col("cost_usd") if "cost_usd" in known.columns else pl.lit(None, pl.Float64).alias("cost_usd")
    kept = routed.select(STRATEGY, pl.col("item").cast(pl.String), pl.col("model").cast(pl.String), "correct", cost)
    if alone.is_empty():
        raise RefusedTableError(
            "column strategy: none uses one model for all items, so there is nothing to compare routers with"
        )
    return alone.drop(STRATEGY), kept


def item_of(schema: pl.Schema, fields: dict[str, str]) -> pl.Expr:
    """The item of each row."""
    if "item" not in fields:
        # A wide table without names: a row is an item. A long one: the prompt is.
        return (text_of(fields["prompt"]) if "prompt" in fields and "model" in fields else pl.col(ROW)).alias("item")
    column = fields["item"]
    expr = text_of(column) if schema[column] == pl.String else pl.col(column)
    if "file" in schema and "model" not in fields:
        expr = pl.concat_str(pl.col("file"), pl.lit(":"), expr.cast(pl.String))
    return expr.alias("item")


def fields_of(schema: pl.Schema, fields: dict[str, str], scores: dict[str, str]) -> list[pl.Expr]:
    """What a row says besides item and model, typed."""
    picked = [number_of(schema, fields[name], name).alias(name) for name in NUMBERS if name in fields and name != "latency_ms"]
    picked += [number_of(schema, column, "score").alias(f"score:{name}") for name, column in scores.items()]
    picked += [text_of(fields[name]).alias(name) for name in ("group", "category") if name in fields]
    if "latency_ms" in fields and "latency_s" not in fields:
        picked.append((number_of(schema, fields["latency_ms"], "latency_ms") / 1_000.0).alias("latency_s"))
    if "prompt" in fields:
        prompt = pl.col(fields["prompt"]).cast(pl.String)
        if "prompt_chars" not in fields:
            picked.append(prompt.str.len_chars().cast(pl.Float64).alias("prompt_chars"))
        picked.append(prompt.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars().hash().alias("prompt_hash"))
    if "response" in fields and "response_chars" not in fields:
        picked.append(pl.col(fields["response"]).cast(pl.String).str.len_chars().cast(pl.Float64).alias("response_chars"))
    return picked


def _one_per_item(side: pl.DataFrame, of_item: list[str], fields: dict[str, str]) -> None:
    for name in of_item:
        differs = pl.col(name) != pl.col(name).first().over("item")
        refuse(
            side, differs, column=fields.get(name, name.removeprefix("score:")), rule="must be one value per item", value=name
        )

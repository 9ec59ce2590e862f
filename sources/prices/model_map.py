"""From the ids that sources use to canonical sellers and models. The mapping is data: seeds/model_alias.csv,
and the repositories of transcribed/model_config.csv.

What counts as one model:

1. A dated snapshot is the undated model, unless it is sold at another price (gpt-4o-2024-05-13): then it is its own model.
2. A preview or beta is the model, unless it is sold at another price (gemini-2.5-flash-preview).
3. Open weights that hosts price side by side are different models (deepseek-v3 and deepseek-v3-0324).
4. A host's precision, region or tuned-for-chat label does not make another model; a speed tier at another price, a fine-tune,
   a batch route and a name that moves to the newest model are left out: no map is better than a wrong one.
5. A name the vendor re-points without a version in it (deepseek-chat) is a model of its own, marked `rolling`.
"""

from functools import cache

import polars as pl

from schemas.base import polars_schema
from schemas.prices.models import Model, Provider
from sources.document import SEEDS
from sources.prices.model_spelling import ANY, CONFIGURED, DATE, HOST_SPELLINGS, LABELS
from sources.prices.served_as import STATED_VARIANT, SUFFIX, region_of, variant_of

ID = ["source", "source_provider", "source_model"]


def normalised(name: pl.Expr) -> pl.Expr:
    """An id as hosts spell it, in one spelling: small letters, digits and dashes, without path, region and vendor."""
    out = name.str.to_lowercase().str.strip_chars()
    for pattern, replacement in HOST_SPELLINGS:
        out = out.str.replace_all(pattern, replacement)
    return out.str.replace_all(r"-{2,}", "-").str.strip_chars("-")


def undated(name: pl.Expr) -> pl.Expr:
    """A normalised id without the date of its snapshot."""
    return name.str.replace(DATE, "")


def reduced(name: pl.Expr) -> pl.Expr:
    """A normalised id without the date of its snapshot and without tuning and precision."""
    return undated(undated(name).str.replace(LABELS, ""))


@cache
def models() -> pl.DataFrame:
    """The canonical models, in the contract `Model`: those of the seed, and every other one whose configuration is read."""
    listed = pl.read_csv(SEEDS / "model.csv", schema=polars_schema(Model))
    read = _configured().select(
        "model",
        "developer",
        display_name=pl.col("hugging_face_id").str.replace(r"^.*/", ""),
        rolling=pl.lit(value=False),
        open_weights=pl.lit(value=True),
        open_weights_basis=pl.lit("configuration"),
    )
    return pl.concat([listed, read.join(listed, on="model", how="anti")], how="diagonal")


@cache
def _configured() -> pl.DataFrame:
    return pl.read_csv(CONFIGURED, columns=["model", "hugging_face_id", "developer"], infer_schema=False)


@cache
def providers() -> pl.DataFrame:
    """The sellers with a canonical name or a known kind, in the contract `Provider`."""
    kinds = pl.read_csv(SEEDS / "provider.csv", infer_schema=False).rename({"basis": "kind_basis"})
    shops = _provider_aliases().select("provider", "first_party_of").unique()
    both = shops.join(kinds, on="provider", how="full", coalesce=True)
    return both.select(list(polars_schema(Provider))).sort("provider")


def seller_kind(sellers: pl.DataFrame) -> pl.DataFrame:
    """Add what each `provider` is as `seller_kind`, NULL where that is not known. Rows keep their order."""
    known = sellers.join(providers().select("provider", seller_kind="kind"), on="provider", how="left", maintain_order="left")
    passed_on = pl.col("provider").str.starts_with("huggingface-")
    return known.with_columns(seller_kind=pl.when(passed_on).then(pl.lit("router")).otherwise("seller_kind"))


@cache
def _provider_aliases() -> pl.DataFrame:
    return pl.read_csv(SEEDS / "provider_alias.csv", infer_schema=False)


@cache
def _rules() -> list[dict[str, str | None]]:
    table = pl.read_csv(SEEDS / "model_alias.csv", infer_schema=False)
    return table.filter(pl.col("kind") == "regex").to_dicts()


@cache
def _names() -> pl.DataFrame:
    """Exact names: source, provider (either may be any), name, model. A canonical model is a name of itself."""
    table = pl.read_csv(SEEDS / "model_alias.csv", infer_schema=False).filter(pl.col("kind") == "exact")
    own = models().select(source=pl.lit(ANY), provider=pl.lit(ANY), name=normalised(pl.col("model")), model="model")
    aliases = table.select("source", "provider", name=normalised(pl.col("pattern")), model="model")
    told = pl.concat([own, aliases]).unique()
    ids = _configured().select(
        source=pl.lit(ANY), provider=pl.lit(ANY), name=normalised(pl.col("hugging_face_id")), model="model"
    )
    return pl.concat([told, ids.join(told, on=["source", "provider", "name"], how="anti")])


def resolve(ids: pl.DataFrame) -> pl.DataFrame:
    """Add the canonical seller and model to ids.

    `ids` has the columns source, source_provider and source_model and may have others; rows keep their order. Returns the
    same frame with provider, model, first_party and matched_by as in the contract `ModelAlias`.
    """
    found = _known(ids).select(*ID, "provider", "model", "first_party", "matched_by").collect()
    return ids.join(found, on=ID, how="left", maintain_order="left")


def resolve_offers(prices: pl.DataFrame) -> pl.DataFrame:
    """Like `resolve`, with the `region` of each id, and with the way it is served (batch, fast, ...) as `variant`.

    A price that its source does not call standard keeps the source's `variant`.
    """
    found = _known(prices).select(*ID, "provider", "model", "first_party", "matched_by", "region", "id_variant").collect()
    known = prices.drop("region", strict=False).join(found, on=ID, how="left", maintain_order="left")
    by_id = (pl.col("variant") == "standard") & pl.col("id_variant").is_not_null()
    return known.with_columns(variant=pl.when(by_id).then("id_variant").otherwise("variant")).drop("id_variant")


def _known(ids: pl.DataFrame) -> pl.LazyFrame:
    """Each id once: provider, model, first_party, matched_by, region and id_variant."""
    known = _with_provider(ids.lazy().select(ID).unique())
    known = _with_names(_with_rules(known).with_columns(name=normalised(pl.col("source_model"))))
    # What stands in no map may be a model with the way it is served behind its name; grok-4-fast is a model, and found above.
    known = known.with_columns(by_name=pl.col("matched_by").is_not_null(), name=pl.col("name").str.replace(SUFFIX, ""))
    known = _with_names(known)
    written = pl.col("source_model").str.to_lowercase()
    suffix = written.str.extract(SUFFIX)
    has_suffix = ~pl.col("by_name") & pl.col("matched_by").is_not_null()
    known = known.with_columns(
        id_variant=pl.when(has_suffix | written.str.contains(STATED_VARIANT)).then(variant_of(pl.col("source_model"))),
        region=pl.coalesce(
            pl.when(has_suffix & suffix.is_in(["us", "eu"])).then(suffix), region_of(pl.col("source_model")), pl.lit("global")
        ),
    )
    known = known.join(models().lazy().select("model", "developer"), on="model", how="left").join(
        providers().lazy(), on="provider", how="left"
    )
    own = (pl.col("first_party_of") == pl.col("developer")).fill_null(False)
    return known.with_columns(first_party=pl.when(pl.col("model").is_not_null()).then(own))


def _with_names(ids: pl.LazyFrame) -> pl.LazyFrame:
    """Look up ids that are not settled yet: their `name`, then shorter forms of it."""
    ids = _with_exact(ids, "name")
    for shorter in (undated, reduced):
        ids = _with_exact(ids.with_columns(reduced_name=shorter(pl.col("name"))), "reduced_name")
    return ids


def _with_provider(ids: pl.LazyFrame) -> pl.LazyFrame:
    """Canonical seller: the only one of the source, else by spelling, else the source's own spelling."""
    table = _provider_aliases().lazy().select("source", "source_provider", "provider")
    of_source = table.filter(pl.col("source_provider") == ANY).select("source", only="provider")
    spelled = table.filter(pl.col("source") == ANY).select(spelling="source_provider", known="provider")
    out = ids.with_columns(spelling=pl.col("source_provider").str.to_lowercase().str.replace_all("_", "-"))
    out = out.join(of_source, on="source", how="left").join(spelled, on="spelling", how="left")
    return out.with_columns(provider=pl.coalesce("only", "known", "spelling")).drop("only", "known", "spelling")


def _with_rules(ids: pl.LazyFrame) -> pl.LazyFrame:
    """Apply the patterns on ids as published; the first that fits wins, and one without a model excludes the id."""
    published = pl.col("source_model").str.to_lowercase()
    model: pl.Expr = pl.lit(None, pl.String)
    matched: pl.Expr = pl.lit(None, pl.String)
    for rule in reversed(_rules()):
        fits = published.str.contains(str(rule["pattern"]))
        for column in ("source", "provider"):
            if rule[column] != ANY:
                fits = fits & (pl.col(column) == rule[column])
        model = pl.when(fits).then(pl.lit(rule["model"], pl.String)).otherwise(model)
        matched = pl.when(fits).then(pl.lit("rule" if rule["model"] else "excluded")).otherwise(matched)
    return ids.with_columns(model=model, matched_by=matched)


def _with_exact(ids: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """Look up ids that are not settled yet, the most specific names first."""
    for scope in (("source", "provider"), ("provider",), ("source",), ()):
        names = (
            _names()
            .lazy()
            .filter(*[pl.col(part) != ANY if part in scope else pl.col(part) == ANY for part in ("source", "provider")])
        )
        found = names.select(*scope, pl.col("name").alias(column), pl.col("model").alias("found"), hit=pl.lit(True))
        settled = pl.col("matched_by").is_not_null()
        outcome = pl.when(pl.col("found").is_null()).then(pl.lit("excluded")).otherwise(pl.lit(column))
        ids = ids.join(found, on=[*scope, column], how="left").with_columns(
            model=pl.when(settled).then("model").otherwise("found"),
            matched_by=pl.when(settled | pl.col("hit").is_null()).then("matched_by").otherwise(outcome),
        )
        ids = ids.drop("found", "hit")
    return ids

"""From the ids that sources use to canonical sellers and models. The mapping is data: seeds/model_alias.csv,
and the repositories of transcribed/model_config.csv.

What counts as one model:

1. A dated snapshot is the undated model, unless it is sold at another price (gpt-4o-2024-05-13): then it is its own model.
2. A preview or beta is the model, unless it is sold at another price (gemini-2.5-flash-preview).
3. Open weights that hosts price side by side are different models (deepseek-v3 and deepseek-v3-0324).
4. A host's precision, region or tuned-for-chat label does not make another model; a speed tier at another price, a fine-tune,
   a batch route and a name that moves to the newest model are left out: no map is better than a wrong one.
5. A name the vendor re-points without a version in it (deepseek-chat) is a model of its own, marked `rolling`.
6. A name that stands in no map is a model of its own where the id tells who made it (`sources.prices.as_listed`).
"""

from functools import cache

import polars as pl

from schemas.base import polars_schema
from schemas.prices.models import Model, Provider
from sources.document import SEEDS
from sources.prices.as_listed import is_name, left_out, made_by
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
    listed = pl.read_csv(SEEDS / "model.csv", schema={k: v for k, v in polars_schema(Model).items() if k != "name_basis"})
    read = _configured().select(
        "model",
        "developer",
        display_name=pl.col("hugging_face_id").str.replace(r"^.*/", ""),
        rolling=pl.lit(value=False),
        open_weights=pl.lit(value=True),
        open_weights_basis=pl.lit("configuration"),
    )
    both = pl.concat([listed, read.join(listed, on="model", how="anti")], how="diagonal")
    return both.with_columns(name_basis=pl.lit("map")).select(list(polars_schema(Model)))


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


def resolve(ids: pl.DataFrame, *, listed: bool = True) -> pl.DataFrame:
    """Add the canonical seller and model to ids.

    `listed` lets an id that stands in no map stand for itself, as ids of sellers do; what a benchmark calls its model does not.
    `ids` has the columns source, source_provider and source_model and may have others; rows keep their order. Returns the
    same frame with provider, model, developer, first_party and matched_by as in the contract `ModelAlias`.
    """
    found = _known(ids, listed=listed).select(*ID, "provider", "model", "developer", "first_party", "matched_by")
    return ids.join(found, on=ID, how="left", maintain_order="left")


def resolve_offers(prices: pl.DataFrame) -> pl.DataFrame:
    """Like `resolve`, with the `region` of each id, and with the way it is served (batch, fast, ...) as `variant`.

    A price that its source does not call standard keeps the source's `variant`.
    """
    found = _known(prices).select(*ID, "provider", "model", "first_party", "matched_by", "region", "id_variant")
    known = prices.drop("region", strict=False).join(found, on=ID, how="left", maintain_order="left")
    by_id = (pl.col("variant") == "standard") & pl.col("id_variant").is_not_null()
    return known.with_columns(variant=pl.when(by_id).then("id_variant").otherwise("variant")).drop("id_variant")


def _known(ids: pl.DataFrame, *, listed: bool = True) -> pl.DataFrame:
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
    sold = known.join(providers().lazy(), on="provider", how="left").collect()
    named = _with_listed(sold) if listed else sold.with_columns(developer=pl.lit(None, pl.String))
    made = models().select("model", known_developer="developer")
    known_by = named.join(made, on="model", how="left").with_columns(developer=pl.coalesce("known_developer", "developer"))
    own = (pl.col("first_party_of") == pl.col("developer")).fill_null(False)
    return known_by.with_columns(first_party=pl.when(pl.col("model").is_not_null()).then(own))


def _with_listed(ids: pl.DataFrame) -> pl.DataFrame:
    """Let ids that stand in no map stand for themselves where it is told who made the model (`developer`); rule 6."""
    # Behind a colon stands how a model is served, behind a dash a part of its name.
    written = pl.col("source_model").str.replace(r"(?i):(batch|flex|priority|fast)$", "")
    shop = pl.when(pl.col("kind") == "vendor").then("first_party_of")
    unmatched = ids.filter(pl.col("matched_by").is_null()).select(*ID, listed=reduced(normalised(written)), shop=shop)
    found = [(*row[:3], *_as_listed(*row[2:])) for row in unmatched.iter_rows()]
    schema = dict.fromkeys((*ID, "listed", "developer", "listed_by"), pl.String)
    told = ids.join(pl.DataFrame(found, schema=schema, orient="row"), on=ID, how="left", maintain_order="left")
    return told.with_columns(model=pl.coalesce("model", "listed"), matched_by=pl.coalesce("matched_by", "listed_by"))


@cache
def _as_listed(source_model: str, name: str, shop: str | None) -> tuple[str | None, str | None, str | None]:
    """Model, developer and how the id was matched, of an id that stands in no map; `shop` is whose own shop lists it."""
    if left_out(source_model, name):
        return None, None, "excluded"
    developer = made_by(source_model, name, _sellers()) or shop
    return (name, developer, "as_listed") if developer and is_name(name) else (None, None, None)


@cache
def _sellers() -> frozenset[str]:
    """Every spelling of a seller."""
    spelled = [*_provider_aliases()["source_provider"], *providers()["provider"]]
    return frozenset((*spelled, *(name.replace("-", "_") for name in spelled)))


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

"""Contracts of names: canonical models, the ids under which sources list them, and the sellers."""

import polars as pl

from schemas.base import Table, carried_from, column
from schemas.prices.price_sources import PRICE_SOURCES

RELEASE_DATE_BASES = ("announcement", "epoch", "price_source", "openrouter_listing", "sources_agree")
RELEASE_DATE_BASIS_MEANING = (
    "announcement: dated by a cited announcement or record; epoch: Epoch's list; price_source: comment in genai-prices; "
    "openrouter_listing: day OpenRouter first listed it, so the release was on that day or before; "
    "sources_agree: stated by models.dev"
)
OPEN_WEIGHTS_BASES = ("epoch", "weights_link", "price_source", "timeline_tier", "line", "sources_agree", "configuration")
OPEN_WEIGHTS_BASIS_MEANING = (
    "epoch: accessibility in Epoch's list; weights_link: OpenRouter links the weights; price_source: stated in genai-prices; "
    "timeline_tier: open or priced tier of the token-tariff timeline; line: inferred, every rated model of its line is closed; "
    "sources_agree: every price source that states it agrees; configuration: config.json is published beside the weights"
)
REASONING_BASES = ("openrouter_parameter", "epoch_setting", "price_source", "sources_agree")
REASONING_BASIS_MEANING = (
    "openrouter_parameter: the route takes a reasoning parameter or not; epoch_setting: rated by Epoch at a thinking effort; "
    "price_source: stated in genai-prices; sources_agree: every price source that states it agrees"
)
MATCHED_BY = ("rule", "name", "reduced_name", "as_listed", "excluded")


class Model(Table):
    """Canonical models: one row per name under which prices, capability and hosts are compared."""

    model: str = column("canonical model, in small letters, such as claude-sonnet-4", str_matches=r"^[a-z0-9][a-z0-9.\-]*$")
    developer: str = column("who trained the model, in small letters, such as anthropic")
    name_basis: str = column(
        "map: entered by hand or with its configuration; as_listed: its sources' own name, nobody has looked at it",
        isin=("map", "as_listed"),
    )
    display_name: str = column("name for people, as a price source or Epoch writes it", nullable=True)
    rolling: bool = column("a name the vendor re-points to newer models: has a price, never a capability")
    release_date: pl.Date = column("day the model was released; see release_date_basis", nullable=True)
    release_date_basis: str = column(RELEASE_DATE_BASIS_MEANING, isin=RELEASE_DATE_BASES, nullable=True)
    open_weights: bool = column("weights can be downloaded", nullable=True)
    open_weights_basis: str = column(OPEN_WEIGHTS_BASIS_MEANING, isin=OPEN_WEIGHTS_BASES, nullable=True)
    reasoning: bool = column("can emit reasoning tokens", nullable=True)
    reasoning_basis: str = column(REASONING_BASIS_MEANING, isin=REASONING_BASES, nullable=True)

    class Config:
        name = "core.model"
        metadata = carried_from(*(f"{name}_model" for name in PRICE_SOURCES))
        unique = ["model"]


class ModelAlias(Table):
    """Every id under which a source lists a model, with the canonical seller and model it stands for."""

    source: str = column("source that uses the id")
    source_provider: str = column("seller or host, as the source writes it")
    source_model: str = column("model or route id, as the source writes it")
    provider: str = column("canonical seller or host, key of core.provider where known")
    model: str = column("canonical model, key of core.model; NULL where the id is not mapped", nullable=True)
    developer: str = column("who made the model; NULL where the id is not mapped", nullable=True)
    first_party: bool = column("the seller trained the model itself; NULL where the id is not mapped", nullable=True)
    matched_by: str = column(
        "rule: a pattern; name: the normalised id; reduced_name: the id without snapshot date, tuning and precision; "
        "as_listed: its own name, since it stands in no map and the id tells who made the model; "
        "excluded: a pattern that says it is no comparable price; NULL: no match",
        isin=MATCHED_BY,
        nullable=True,
    )

    class Config:
        name = "core.model_alias"
        metadata = carried_from("llm_price")
        unique = ["source", "source_provider", "source_model"]


class ModelPointer(Table):
    """What a name that moves pointed to on the day of a document: `~x-ai/grok-latest` was grok-4.5 on 1 August 2026."""

    as_of: pl.Date = column("day of the document: published, else first served")
    source: str = column("source that says so")
    source_model: str = column("name that moves, as the source writes it", str_length={"min_value": 1})
    points_to: str = column("route behind it on that day, as the source writes it", str_length={"min_value": 1})
    model: str = column("canonical model of that route, key of core.model; NULL where it is not mapped", nullable=True)
    document_sha256: str = column("document that says so, key of meta.snapshot")
    locator: str = column("where in the document, as a JSON pointer")

    class Config:
        name = "core.model_pointer"
        unique = ["as_of", "source", "source_model"]


SELLER_KINDS = ("vendor", "cloud", "host", "router", "closed")
SELLER_KIND_MEANING = (
    "vendor: sells its own models; cloud: a general cloud or data platform; host: open weights on its own machines; router: "
    "passes requests on to other sellers; closed: sells no more; NULL: not known"
)


class Provider(Table):
    """Sellers and hosts of LLM APIs: those whose spelling differs between sources or whose kind is known."""

    provider: str = column("canonical seller or host, in small letters, such as aws-bedrock")
    first_party_of: str = column("developer whose own shop it is; NULL for hosts and routers", nullable=True)
    kind: str = column(SELLER_KIND_MEANING, isin=SELLER_KINDS, nullable=True)
    kind_basis: str = column("what the kind rests on", nullable=True)

    class Config:
        name = "core.provider"
        unique = ["provider"]

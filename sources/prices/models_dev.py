"""models.dev: prices in USD per million tokens and attributes of every model at every provider, kept by its community.

The document is an object of providers, each with an object of models; `cost` holds the prices. Long prompts come as
`cost.tiers`, each with its prices and `tier: {type: context, size: tokens}`. The older `cost.context_over_200k` repeats
one of them, whatever its real size, so it counts only where there are no tiers. `experimental.modes` holds the prices
of faster or cheaper modes. There are no dates of prices. Zero stands for free, for included in a plan, or for unknown.

Sources: https://github.com/anomalyco/models.dev (schema.ts, generate.ts; MIT).
"""

from typing import Any

import msgspec
import polars as pl

from schemas.prices.llm_prices import RAW_MODELS, RAW_PRICES
from schemas.quarantine import Parsed
from sources.document import SEEDS, seed
from sources.prices.price_keys import (
    USD_PER_MTOK,
    Meaning,
    Row,
    as_published,
    attributes_table,
    day,
    decode,
    figure,
    figures_frame,
    flag,
    pointer,
    split_prices,
    text,
    tokens,
    unexpected,
)
from sources.source import Http, Snapshot, Source, refuses_in_words

SOURCE = Source(
    name="models_dev",
    title="models.dev",
    homepage="https://models.dev",
    licence="MIT",
    live=(Http("https://models.dev/api.json"),),
    floor=(seed(SEEDS / "models_dev.json"),),
)

_EXPECTED = "an object of providers, each with an object of models"
_LEGS = ("input", "output", "reasoning", "cache_read", "cache_write", "input_audio", "output_audio")
_REFUSED_KEYS = {"per_minute": "unit_not_per_token"}
_NOT_PRICES = {"tiers", "tier", "context_over_200k"}


class _Model(msgspec.Struct):
    name: Any = None
    reasoning: Any = None
    open_weights: Any = None
    release_date: Any = None
    cost: dict[str, Any] | None = None
    limit: Any = None
    experimental: Any = None


class _Provider(msgspec.Struct):
    models: dict[str, _Model]


@refuses_in_words
def parse_prices(snapshot: Snapshot) -> Parsed:
    """Prices of every model at every provider (contract `raw.models_dev_price`) and the figures refused."""
    rows: list[Row] = []
    for provider, entry in _providers(snapshot).items():
        for name, model in entry.models.items():
            route = (provider, name)
            rows += _cost(route, model.cost or {}, "cost", "standard")
            for mode, cost in _modes(model.experimental).items():
                rows += _cost(route, cost, f"experimental.modes.{mode}.cost", mode)
    place = pl.format("/{}/models/{}", pointer(pl.col("source_provider")), pointer(pl.col("source_model")))
    return split_prices(
        figures_frame(rows), snapshot=snapshot, contract=RAW_PRICES["models_dev"], unit=USD_PER_MTOK, entry=place
    )


@refuses_in_words
def parse_models(snapshot: Snapshot) -> Parsed:
    """Attributes of every model at every provider (contract `raw.models_dev_model`); a release month is not a day."""
    rows: list[Row] = []
    refused: list[tuple[str, str, str, str]] = []
    for provider, entry in _providers(snapshot).items():
        for name, model in entry.models.items():
            released = day(model.release_date)
            if model.release_date and released is None:
                rule = "date_without_day" if day(f"{model.release_date}-01") else "not_a_date"
                refused.append((f"{provider}/{name}", "release_date", as_published(model.release_date), rule))
            rows.append(
                (
                    snapshot.source,
                    provider,
                    name,
                    text(model.name),
                    released,
                    flag(model.reasoning),
                    flag(model.open_weights),
                    tokens(model.limit.get("context")) if isinstance(model.limit, dict) else None,
                    None,
                    None,
                    None,
                )
            )
    return attributes_table(rows, refused, contract=RAW_MODELS["models_dev"], source=snapshot.source)


def _providers(snapshot: Snapshot) -> dict[str, _Provider]:
    providers = decode(snapshot, dict[str, _Provider], _EXPECTED)
    if not any(provider.models for provider in providers.values()):
        raise unexpected(snapshot, _EXPECTED, "no models in it")
    return providers


def _modes(experimental: object) -> dict[str, dict[str, Any]]:
    """Costs by mode, such as fast."""
    modes = experimental.get("modes") if isinstance(experimental, dict) else None
    listed = modes.items() if isinstance(modes, dict) else ()
    return {name: mode["cost"] for name, mode in listed if isinstance(mode, dict) and isinstance(mode.get("cost"), dict)}


def _cost(route: tuple[str, str], cost: dict[str, Any], path: str, variant: str) -> list[Row]:
    """Figures of one cost object: its own prices, then those of its tiers."""
    rows = _prices(route, cost, path, Meaning(None, 0, variant))
    tiers = cost.get("tiers") or []
    for index, tier in enumerate(tiers if isinstance(tiers, list) else [tiers]):
        at, size = f"{path}.tiers[{index}]", _size(tier)
        if size is None:
            rows.append(figure(route, at, tier, Meaning(None, rule="unknown_condition")))
        else:
            rows += _prices(route, tier, at, Meaning(None, size, variant))
    if isinstance(over := cost.get("context_over_200k"), dict):
        rule = "duplicate_key" if tiers else None
        rows += _prices(route, over, f"{path}.context_over_200k", Meaning(None, 200_000, variant, rule))
    return rows


def _size(tier: object) -> int | None:
    """Prompt tokens from which a tier holds; None where it holds by anything but the length of the prompt."""
    selector = tier.get("tier") if isinstance(tier, dict) else None
    if not isinstance(selector, dict) or selector.get("type", "context") != "context" or set(selector) - {"type", "size"}:
        return None
    return tokens(selector.get("size"))


def _prices(route: tuple[str, str], prices: dict[str, Any], path: str, meaning: Meaning) -> list[Row]:
    rows = []
    for key, value in prices.items():
        if key in _NOT_PRICES or value is None:
            continue
        leg = key if key in _LEGS else None
        rule = meaning.rule or (None if leg else _REFUSED_KEYS.get(key, "unknown_price_key"))
        rows.append(figure(route, f"{path}.{key}", value, meaning._replace(leg=leg, rule=rule)))
    return rows

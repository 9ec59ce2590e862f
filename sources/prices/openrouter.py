"""The OpenRouter models endpoint: the price of the default route to each model, as decimal strings in USD per token.

The seller is OpenRouter itself, so these are prices of the market of hosts, not of vendors. `overrides` inside the
pricing re-price a request that meets all conditions of an entry: a prompt of at least `min_prompt_tokens`, a UTC window
(`utc_start`, `utc_end` as HHMM, `utc_days`). Rows whose id begins with `~` are moving aliases. `created` is the day
OpenRouter listed the model, its release for most. A reasoning model is one with a `reasoning` object or, in documents
before August 2026, one whose route takes a reasoning parameter; a route that lists parameters but no such one is read
as not reasoning. `benchmarks.artificial_analysis` of a route holds three indices, since the summer of 2026; their publisher
rescores them from time to time, so a score is of the day of its document.

Sources: https://openrouter.ai/docs (Pricing, PricingOverride, ModelReasoning).
"""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import polars as pl

from schemas.base import empty, polars_schema
from schemas.prices.capability import RouterIndex
from schemas.prices.llm_prices import RAW_MODELS, RAW_PRICES
from schemas.prices.models import ModelPointer
from schemas.quarantine import Parsed, Rejected
from sources.document import SEEDS, seed
from sources.prices.price_keys import (
    ALWAYS,
    USD_PER_TOKEN,
    Meaning,
    Row,
    Terms,
    as_published,
    attributes_table,
    day,
    decode,
    figure,
    figures_frame,
    number,
    refusals,
    split_prices,
    text,
    tokens,
    unexpected,
    window_text,
)
from sources.source import Http, Snapshot, Source, refuses_in_words

SOURCE = Source(
    name="openrouter",
    title="OpenRouter models endpoint",
    homepage="https://openrouter.ai/docs/models",
    licence="OpenRouter terms of service; figures are facts",
    live=(Http("https://openrouter.ai/api/v1/models"),),
    floor=(seed(SEEDS / "openrouter.json"),),
)

_EXPECTED = "an object with a list of models under data"
_LEGS = {
    "prompt": "input",
    "completion": "output",
    "input_cache_read": "cache_read",
    "input_cache_write": "cache_write",
    "input_cache_write_1h": "cache_write_1h",
    "internal_reasoning": "reasoning",
    "audio": "input_audio",
    "audio_output": "output_audio",
    "input_audio_cache": "cache_read_audio",
}
_REFUSED_KEYS = {
    "image": "unit_not_per_token",
    "image_output": "unit_not_per_token",
    "request": "unit_not_per_token",
    "web_search": "unit_not_per_token",
    "image_token": "leg_not_kept",
    "discount": "discount_not_applied",
}
SCALE_OF_INDEX = {"intelligence_index": "aa_intelligence", "coding_index": "aa_coding", "agentic_index": "aa_agentic"}
"""Indices of Artificial Analysis by the key under which a route carries them, each up to 100."""
_CONDITIONS = {"min_prompt_tokens", "utc_start", "utc_end", "utc_days"}
_YEAR_2100_S = 4_102_444_800
_WEEKDAYS = {name: n for n, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1)}


class Route(msgspec.Struct):
    """One entry of the document, as far as it is read."""

    id: str
    pricing: dict[str, Any]
    name: Any = None
    created: Any = None
    context_length: Any = None
    hugging_face_id: Any = None
    supported_parameters: Any = None
    reasoning: Any = None
    alias_target: Any = None
    expiration_date: Any = None
    benchmarks: Any = None

    def is_alias(self) -> bool:
        """Whether the row repeats another route under a moving name."""
        return self.id.startswith("~") or self.alias_target is not None


class _Document(msgspec.Struct):
    data: list[Route]


@refuses_in_words
def parse_prices(snapshot: Snapshot) -> Parsed:
    """Prices of every route (contract `raw.openrouter_price`) and the figures refused; ValueError for another document."""
    rows: list[Row] = []
    models = routes(snapshot)
    for model in models:
        route = (snapshot.source, model.id)
        if model.is_alias():
            target = model.alias_target or ""
            rows.append(figure(route, "alias_target", target, Meaning(None, rule="alias_of_another_route")))
            continue
        rows += _prices(route, model.pricing, "pricing", 0, ALWAYS)
        overrides = model.pricing.get("overrides") or []
        for index, override in enumerate(overrides if isinstance(overrides, list) else [overrides]):
            rows += _override(route, override, f"pricing.overrides[{index}]")
    return split_prices(
        figures_frame(rows),
        snapshot=snapshot,
        contract=RAW_PRICES["openrouter"],
        unit=USD_PER_TOKEN,
        entry=pl.col("source_model").replace_strict(
            {model.id: f"/data/{i}" for i, model in reversed(list(enumerate(models)))}, return_dtype=pl.String
        ),
        row_key=pl.col("source_model"),
    )


@refuses_in_words
def parse_models(snapshot: Snapshot) -> Parsed:
    """Attributes of every route that is no alias (contract `raw.openrouter_model`)."""
    rows: list[Row] = []
    refused: list[tuple[str, str, str, str]] = []
    for model in routes(snapshot):
        if model.is_alias():
            refused.append((model.id, "id", as_published(model.alias_target or ""), "alias_of_another_route"))
            continue
        if model.expiration_date and day(model.expiration_date) is None:
            refused.append((model.id, "expiration_date", as_published(model.expiration_date), "not_a_date"))
        rows.append(
            (
                snapshot.source,
                snapshot.source,
                model.id,
                text(model.name),
                _created_on(model),
                _reasons(model),
                True if model.hugging_face_id else None,
                tokens(model.context_length),
                day(model.expiration_date),
                None,
                None,
            )
        )
    return attributes_table(rows, refused, contract=RAW_MODELS["openrouter"], source=snapshot.source)


@refuses_in_words
def parse_indices(snapshot: Snapshot) -> Parsed:
    """Every index of every route that is no alias (contract `RouterIndex`); ValueError for another document."""
    rows: list[tuple[object, ...]] = []
    refused: list[tuple[str, str, str, str]] = []
    for at, route in enumerate(routes(snapshot)):
        said = route.benchmarks.get("artificial_analysis") if isinstance(route.benchmarks, dict) else None
        if route.is_alias() or not isinstance(said, dict):
            continue
        for index, published in said.items():
            score, scale = number(published), SCALE_OF_INDEX.get(index)
            where = f"/data/{at}/benchmarks/artificial_analysis/{index}"
            if published is None:
                continue
            if scale is None or score is None or not 0 < score < 100:
                rule = "unknown_index" if scale is None else "not_a_number"
                refused.append((route.id, f"benchmarks.{index}", as_published(published), rule))
                continue
            rows.append((snapshot.source, route.id, scale, score, snapshot.seen_on, snapshot.sha256, where))
    named = pl.Schema({name: pl.String() for name in ("row_key", "column_name", "value", "rule")})
    scores = pl.DataFrame(rows, schema=polars_schema(RouterIndex), orient="row") if rows else empty(RouterIndex)
    first = scores.unique(["source_model", "scale"], keep="first", maintain_order=True)
    return Parsed(first, refusals(pl.DataFrame(refused, schema=named, orient="row"), snapshot.source))


@refuses_in_words
def parse_pointers(snapshot: Snapshot) -> Parsed:
    """What each moving alias points to (contract `ModelPointer`, `model` left open); ValueError for another document."""
    rows: list[tuple[object, ...]] = []
    for at, route in enumerate(routes(snapshot)):
        target = route.alias_target.get("slug") if isinstance(route.alias_target, dict) else route.alias_target
        if text(target) and target != route.id:
            where = f"/data/{at}/alias_target"
            rows.append((snapshot.seen_on, snapshot.source, route.id, target, None, snapshot.sha256, where))
    found = pl.DataFrame(rows, schema=polars_schema(ModelPointer), orient="row")
    return Parsed(found.unique(["source_model"], keep="first", maintain_order=True), empty(Rejected))


def routes(snapshot: Snapshot) -> list[Route]:
    """Every route of a document, aliases among them; ValueError for another document."""
    models = decode(snapshot, _Document, _EXPECTED).data
    if not models:
        raise unexpected(snapshot, _EXPECTED, "the list is empty")
    return models


def _prices(route: tuple[str, str], prices: dict[str, Any], path: str, tier: int, terms: Terms) -> list[Row]:
    """Figures of one pricing object."""
    rows = []
    for key, value in prices.items():
        if key == "overrides" or value is None or (key == "discount" and number(value) == 0):
            continue
        leg = _LEGS.get(key)
        rule = _rule_for(route[1], value) if leg else _REFUSED_KEYS.get(key, "unknown_price_key")
        rows.append(figure(route, f"{path}.{key}", value, Meaning(leg, tier, rule=rule), terms))
    return rows


def _rule_for(model: str, value: object) -> str | None:
    """The rule against a figure of a known leg, if this source has one of its own."""
    amount = number(value)
    if amount == -1:
        return "variable_price"
    return "free_route" if amount == 0 and model.endswith(":free") else None


def _override(route: tuple[str, str], override: object, path: str) -> list[Row]:
    """Figures of one entry of `overrides`; an entry with a condition that is not known is refused whole."""
    known = _LEGS.keys() | _REFUSED_KEYS.keys() | _CONDITIONS
    if not isinstance(override, dict) or not override.keys() <= known or not override.keys() & _CONDITIONS:
        return [figure(route, path, override, Meaning(None, rule="unknown_condition"))]
    window = _window(override)
    tier = tokens(override.get("min_prompt_tokens", 0), at_least=0)
    if window is None or tier is None:
        return [figure(route, path, override, Meaning(None, rule="unknown_condition"))]
    prices = {key: value for key, value in override.items() if key not in _CONDITIONS}
    return _prices(route, prices, path, tier, Terms(window))


def _window(override: dict[str, Any]) -> str | None:
    """The window of an override as text, None where it is not understood."""
    start, end = override.get("utc_start"), override.get("utc_end")
    names = override.get("utc_days") or []
    days = [_WEEKDAYS.get(str(name)[:3].lower()) for name in names] if isinstance(names, list) else [None]
    if start is None and end is None:
        return window_text("00:00-00:00", days) if names else "always"
    if not isinstance(start, int) or not isinstance(end, int):
        return None
    return window_text(f"{start // 100:02d}:{start % 100:02d}-{end // 100:02d}:{end % 100:02d}", days)


def _created_on(model: Route) -> date | None:
    seconds = number(model.created)
    if seconds is None or not 0 < seconds < _YEAR_2100_S:
        return None
    return datetime.fromtimestamp(seconds, UTC).date()


def _reasons(model: Route) -> bool | None:
    """Whether the model can emit reasoning tokens, None where the row does not say (a router, no parameters listed)."""
    if model.reasoning is not None:
        return True
    if not isinstance(model.supported_parameters, list) or not model.supported_parameters:
        return None
    if number(model.pricing.get("prompt")) == -1:
        return None
    return "reasoning" in model.supported_parameters or "include_reasoning" in model.supported_parameters

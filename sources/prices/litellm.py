"""LiteLLM's price file: one object of routes, prices in USD per token under an open family of keys.

A key reads `leg`, `leg_above_200k_tokens`, `leg_batches`, or both; a cache write may carry its lifetime (`_above_1hr`).
The same idea comes a second way, as `tiered_pricing` (a list with token ranges) and `off_peak_pricing` (daily windows).
The base price of a route with off-peak hours is its peak price. A threshold is kept as written: `_above_200k_tokens`
is 200,000, and holds for longer prompts. The file gives no dates of prices.
"""

import re
from functools import lru_cache
from typing import Any

import msgspec
import polars as pl

from schemas.prices.llm_prices import RAW_MODELS, RAW_PRICES
from schemas.quarantine import Parsed
from sources.document import SEEDS, seed
from sources.prices.price_keys import (
    ALWAYS,
    FIGURES,
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
    flag,
    pointer,
    split_prices,
    text,
    tokens,
    unexpected,
    window_text,
)
from sources.source import Http, Registry, Snapshot, Source, refuses_in_words

SOURCE = Source(
    name="litellm",
    title="LiteLLM model prices and context windows",
    homepage="https://github.com/BerriAI/litellm",
    licence="MIT",
    live=(
        Http("https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"),
        Registry("litellm", "litellm/model_prices_and_context_window_backup.json"),
    ),
    floor=(seed(SEEDS / "litellm.json"),),
)

_EXPECTED = "an object of models by name"
_NOT_MODELS = {"sample_spec", "fallback_generalizations"}

_LEGS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "input_cost_per_token_cache_hit": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
    "cache_read_input_audio_token_cost": "cache_read_audio",
}
_OTHER_TOKENS = (
    "input_cost_per_image_token",
    "output_cost_per_image_token",
    "input_cost_per_video_token",
    "output_cost_per_video_token",
    "cache_read_input_image_token_cost",
    "cache_creation_input_audio_token_cost",
    "explicit_cache_read_input_token_cost",
    "citation_cost_per_token",
)
_VARIANTS = {"batches": "batch"} | {v: v for v in ("flex", "priority", "balanced", "ultrafast", "decisions")}
_KEY = re.compile(
    rf"(?P<leg>{'|'.join([*_LEGS, *_OTHER_TOKENS])})(?:_above_(?P<hours>\d+)hr)?"
    rf"(?:_above_(?P<thousands>\d+)k_tokens)?(?:_(?P<variant>{'|'.join(_VARIANTS)}))?"
)
_OTHER_UNIT = re.compile(
    r"dbu_cost|per_(?:image|pixel|(?:audio_|video_)?second|character|query|page|request|session|credit|unit"
    r"|text_message|gb|1k)"
)
_PRICE_LIKE = re.compile(r"cost|pric")


class _Window(msgspec.Struct):
    hours_utc: str | list[str]
    weekdays: list[int] = []


@refuses_in_words
def parse_prices(snapshot: Snapshot) -> Parsed:
    """Prices of every route (contract `raw.litellm_price`) and the figures refused; ValueError when it is not the file."""
    routes: list[tuple[str, str]] = []
    meanings: list[tuple[object, ...]] = []
    slots: dict[str, int | None] = {}
    # Nearly every figure is a plain number: three lists of numbers, which the columns are gathered from afterwards.
    of_route: list[int] = []
    of_meaning: list[int] = []
    amounts: list[float] = []
    others: list[Row] = []
    for model, entry in _entries(snapshot).items():
        provider = entry.get("litellm_provider") if isinstance(entry, dict) else None
        if not isinstance(provider, str):
            others.append(figure(("", model), None, "", Meaning(None, rule="no_provider")))
            continue
        at = len(routes)
        routes.append((provider, model))
        for key, value in entry.items():
            try:
                slot = slots[key]
            except KeyError:
                slot = slots[key] = _slot(key, meanings)
            if slot is None or value is None:
                continue
            if type(value) is float:
                of_route.append(at)
                of_meaning.append(slot)
                amounts.append(value)
            else:
                others += _other_figures((provider, model), key, value)
    texts = {amount: repr(amount) for amount in set(amounts)}
    columns = [
        _columns(["source_provider", "source_model"], routes)[of_route],
        _columns(["source_key", *Meaning._fields], meanings)[of_meaning],
        _columns(["published_value", "amount"], {"published_value": [texts[amount] for amount in amounts], "amount": amounts}),
    ]
    terms = [pl.lit(term, dtype=FIGURES[name]).alias(name) for name, term in zip(Terms._fields, ALWAYS, strict=True)]
    plain = pl.concat(columns, how="horizontal").with_columns(terms).select(FIGURES.names())
    figures = pl.concat([plain, figures_frame(others)])
    return split_prices(
        figures,
        snapshot=snapshot,
        contract=RAW_PRICES["litellm"],
        unit=USD_PER_TOKEN,
        entry=pl.lit("/") + pointer(pl.col("source_model")),
        row_key=pl.col("source_model"),
    )


@refuses_in_words
def parse_models(snapshot: Snapshot) -> Parsed:
    """Attributes of every route (contract `raw.litellm_model`); the file states no names, release dates or weights."""
    rows: list[Row] = []
    refused: list[tuple[str, str, str, str]] = []
    for model, entry in _entries(snapshot).items():
        provider = entry.get("litellm_provider") if isinstance(entry, dict) else None
        if not isinstance(provider, str):
            refused.append((model, "litellm_provider", as_published(provider), "no_provider"))
            continue
        withdrawn = entry.get("deprecation_date")
        if withdrawn is not None and day(withdrawn) is None:
            refused.append((model, "deprecation_date", as_published(withdrawn), "not_a_date"))
        rows.append(
            (
                snapshot.source,
                provider,
                model,
                None,
                None,
                flag(entry.get("supports_reasoning")),
                None,
                tokens(entry.get("max_input_tokens")),
                day(withdrawn),
                text(entry.get("mode")),
                None,
            )
        )
    return attributes_table(rows, refused, contract=RAW_MODELS["litellm"], source=snapshot.source)


@lru_cache(maxsize=4096)
def key_meaning(key: str) -> Meaning | None:
    """What a key of an entry says of its figure; None when it is no price."""
    if match := _KEY.fullmatch(key):
        leg, hours, thousands, variant = match.group("leg", "hours", "thousands", "variant")
        name = _LEGS.get(leg)
        if hours is not None:
            name = "cache_write_1h" if (name, hours) == ("cache_write", "1") else None
        tier = int(thousands or 0) * 1000
        return Meaning(name, tier, _VARIANTS.get(variant, "standard"), None if name else "leg_not_kept")
    if not _PRICE_LIKE.search(key):
        return None
    return Meaning(None, rule="unit_not_per_token" if _OTHER_UNIT.search(key) else "unknown_price_key")


def _entries(snapshot: Snapshot) -> dict[str, Any]:
    document = decode(snapshot, dict[str, Any], _EXPECTED)
    entries = {model: entry for model, entry in document.items() if model not in _NOT_MODELS}
    if not any(isinstance(entry, dict) and "litellm_provider" in entry for entry in entries.values()):
        raise unexpected(snapshot, _EXPECTED, "no entry names a litellm_provider")
    return entries


def _slot(key: str, meanings: list[tuple[object, ...]]) -> int | None:
    """Note what a key means, if it is a price, and say where that is noted."""
    meaning = key_meaning(key)
    if meaning is None:
        return None
    meanings.append((key, *meaning))
    return len(meanings) - 1


def _columns(names: list[str], data: Any) -> pl.DataFrame:
    return pl.DataFrame(data, schema={name: FIGURES[name] for name in names}, orient="row")


def _other_figures(route: tuple[str, str], key: str, value: object) -> list[Row]:
    """Figures of a value that is not a plain number."""
    if key == "tiered_pricing" and isinstance(value, list):
        return _tiered(route, value)
    if key == "off_peak_pricing" and isinstance(value, dict):
        return _off_peak(route, value)
    return [figure(route, key, value, key_meaning(key) or Meaning(None, rule="unknown_price_key"))]


def _tiered(route: tuple[str, str], tiers: list[Any]) -> list[Row]:
    """Figures of `tiered_pricing`: each item holds from the lower end of its `range` of prompt tokens."""
    rows = []
    for index, tier in enumerate(tiers):
        items = tier.items() if isinstance(tier, dict) else [("", tier)]
        bounds = tier.get("range") if isinstance(tier, dict) else None
        start = tokens(bounds[0], at_least=0) if isinstance(bounds, list) and bounds else None
        for key, value in items:
            meaning = key_meaning(key) if key else Meaning(None, rule="unknown_price_key")
            if meaning is None or value is None:
                continue
            if start is not None:
                meaning = meaning._replace(tier_min_tokens=start)
            elif meaning.rule is None:
                meaning = Meaning(None, rule="unknown_condition")
            rows.append(figure(route, f"tiered_pricing[{index}].{key}", value, meaning))
    return rows


def _off_peak(route: tuple[str, str], block: dict[str, Any]) -> list[Row]:
    """Figures of `off_peak_pricing`: one row per price and window of UTC hours."""
    windows = _windows(block)
    prices = {key: value for key, value in block.items() if value is not None and _PRICE_LIKE.search(key)}
    rows = []
    for key, value in prices.items():
        meaning = key_meaning(key) or Meaning(None, rule="unknown_price_key")
        name = f"off_peak_pricing.{key}"
        if not windows:
            rows.append(figure(route, name, value, Meaning(None, rule="unknown_condition")))
        rows.extend(figure(route, name, value, meaning, Terms(window)) for window in windows)
    return rows


def _windows(block: dict[str, Any]) -> list[str]:
    """Windows of an off-peak block, such as `10:00-00:00 Mon-Fri`; none where any of them is not understood."""
    try:
        stated = [msgspec.convert(item, _Window) for item in block.get("windows", [block])]
    except (TypeError, msgspec.ValidationError):
        return []
    zone = block.get("weekday_timezone")
    found = []
    for window in stated:
        for hours in [window.hours_utc] if isinstance(window.hours_utc, str) else window.hours_utc:
            text = window_text(hours, window.weekdays)
            if text is None:
                return []
            found.append(f"{text} in {zone}" if zone and window.weekdays else text)
    return found

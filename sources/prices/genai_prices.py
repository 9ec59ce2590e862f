"""The genai-prices data set: dated, tiered prices with variants, in USD per million tokens.

Live from its v2 data; the v1 files beside it are frozen and wrong. The installed package carries the same data and is
the floor. A model's price is one object or a list of conditional objects, of which the last that applies holds; a price
variant (batch, priority, ...) overrides single prices, and there the first that applies holds. A tier re-prices the
whole prompt and holds for prompts longer than its `start`.

A list entry has either a date or a daily window, never both. A window after dated entries therefore starts here with
the last of them, as the data set's own comments explain. Start dates before October 2026 were set by hand from the
vendor's announcement. Later ones are the days on which a rate was verified or seen, unless they lie ahead of the
document: nobody observes a future price.
"""

import re
from collections import defaultdict
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
import polars as pl

from schemas.prices.llm_prices import RAW_MODELS, RAW_PRICES
from schemas.quarantine import Parsed
from sources.prices.price_keys import (
    USD_PER_MTOK,
    Meaning,
    Row,
    Terms,
    attributes_table,
    day,
    decode,
    figure,
    figures_frame,
    split_prices,
    text,
    tokens,
    unexpected,
    window_text,
)
from sources.source import Http, Installed, Snapshot, Source, refuses_in_words

_EXPECTED = "a list of providers (v2 data)"
_OBSERVED_SINCE = date(2026, 10, 1)

_LEGS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
    "cache_audio_read_mtok": "cache_read_audio",
}
_OTHER_UNIT = re.compile(r".*_(kcount|hours|minutes|kpages|mchars|gpixels)")
_CHOICES = {"processing", "service_tier", "speed"}
_COPIED = re.compile(r"(?:Imported from|Seen on) (OpenRouter)\b")
_GONE = re.compile(
    r"(?:.{0,100}? until its|Retired|Retires|[Nn]o longer (?:listed|lists|in the)"
    r"|Listed as \"\(Shut down\)\"|shut down|should be retired|discontinued)"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = re.compile(rf"(20\d\d-\d\d-\d\d)|({'|'.join(_MONTHS)})[a-z]* (\d{{1,2}}), (20\d\d)")
_CNY_RATE = re.compile(r"1 USD = (\d+(?:\.\d+)?) CNY")
_CNY_RATE_OF_SOME = re.compile(r"; prices inferred from CNY pricing at the equivalent (\d+(?:\.\d+)?) CNY/USD")


class _Conditional(msgspec.Struct):
    prices: dict[str, Any]
    constraint: Any = None


class _Variant(msgspec.Struct):
    when: dict[str, str]
    prices: dict[str, Any]
    constraint: Any = None


class _Model(msgspec.Struct):
    id: str
    prices: dict[str, Any] | list[_Conditional]
    price_variants: list[_Variant] | None = None
    price_comments: Any = None
    name: Any = None
    deprecated: Any = None


class _Provider(msgspec.Struct):
    id: str
    models: list[_Model]
    price_comments: Any = None


def installed_document() -> bytes:
    """The data of the installed package as a v2 document, without the parts that only match models to requests."""
    from genai_prices import data, types  # noqa: PLC0415  (1.6 MB of code, wanted only without a network)

    def plain(item: object) -> object:
        if isinstance(item, types.ModelPrice):
            return {key: value for key, value in vars(item).items() if value is not None}
        raise TypeError(f"cannot write a {type(item).__name__}")

    providers = [
        {
            "id": provider.id,
            "price_comments": provider.price_comments,
            "models": [
                {
                    "id": model.id,
                    "name": model.name,
                    "deprecated": model.deprecated,
                    "price_comments": model.price_comments,
                    "prices": model.prices,
                    "price_variants": model.price_variants,
                }
                for model in provider.models
            ],
        }
        for provider in data.providers
    ]
    return msgspec.json.Encoder(enc_hook=plain, decimal_format="number").encode(providers)


SOURCE = Source(
    name="genai_prices",
    title="genai-prices, prices of LLM inference providers",
    homepage="https://github.com/pydantic/genai-prices",
    licence="MIT",
    live=(Http("https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main/prices/new_data/v2/data.json"),),
    floor=(Installed("genai-prices", installed_document, as_of=datetime(2026, 11, 10, tzinfo=UTC)),),
)


@refuses_in_words
def parse_prices(snapshot: Snapshot) -> Parsed:
    """Prices of every model (contract `raw.genai_prices_price`) and the figures refused; ValueError when it is not v2 data."""
    providers = decode(snapshot, list[_Provider], _EXPECTED)
    if not any(provider.models for provider in providers):
        raise unexpected(snapshot, _EXPECTED, "no models in it")
    seen = snapshot.seen_on
    rows: list[Row] = []
    for provider in providers:
        for model in provider.models:
            route, terms = (provider.id, model.id), Terms(fx_note=_fx_note(provider, model))
            rows += _standard(route, model.prices, terms, seen)
            rows += _variants(route, model.price_variants or [], terms, seen)
    places = {
        f"{provider.id} {model.id}": f"/{i}/models/{j}"
        for i, provider in reversed(list(enumerate(providers)))
        for j, model in reversed(list(enumerate(provider.models)))
    }
    entry = pl.concat_str("source_provider", "source_model", separator=" ").replace_strict(places, return_dtype=pl.String)
    return split_prices(
        figures_frame(rows), snapshot=snapshot, contract=RAW_PRICES["genai_prices"], unit=USD_PER_MTOK, entry=entry
    )


@refuses_in_words
def parse_models(snapshot: Snapshot) -> Parsed:
    """Attributes of every model (contract `raw.genai_prices_model`): its name, and its comments on retirement and copying."""
    rows: list[Row] = []
    seen: set[tuple[str, str]] = set()
    for provider in decode(snapshot, list[_Provider], _EXPECTED):
        for model in provider.models:
            if (provider.id, model.id) in seen:
                continue
            seen.add((provider.id, model.id))
            comment = text(model.price_comments) or ""
            copied = None if "Verified against" in comment else _COPIED.match(comment)
            rows.append(
                (
                    snapshot.source,
                    provider.id,
                    model.id,
                    text(model.name),
                    None,
                    None,
                    None,
                    None,
                    retired_on(comment, deprecated=model.deprecated is True),
                    None,
                    copied.group(1).lower() if copied else None,
                )
            )
    return attributes_table(rows, [], contract=RAW_MODELS["genai_prices"], source=snapshot.source)


def retired_on(comment: str, *, deprecated: bool) -> date | None:
    """Day from which a model is no longer sold, by the comment on its price; None where it states no such day.

    A deprecated model is sold until it is retired. Where a comment only says on which day the model was found gone, it is
    that day.
    """
    gone = _GONE.search(comment) if deprecated else _GONE.match(comment)
    if not gone:
        return None
    sentence = comment.rfind(". ", 0, gone.start()) + 1
    stated = _DAY.search(comment, gone.start()) or _DAY.search(comment, sentence)
    if stated is None:
        return None
    iso, month, number, year = stated.groups()
    written = iso or f"{year}-{_MONTHS.index(month) + 1:02d}-{int(number):02d}"
    return day(written)


def _standard(route: tuple[str, str], prices: dict[str, Any] | list[_Conditional], terms: Terms, seen: date) -> list[Row]:
    """Figures of `prices`: later entries of the list take precedence."""
    if isinstance(prices, dict):
        return _legs(route, "prices", prices, terms, Meaning(None))
    rows = []
    when = [_condition(entry.constraint) for entry in prices]
    for index, (entry, (own_start, window)) in enumerate(zip(prices, when, strict=True)):
        last_start = max((s for s, _ in when[:index] if s is not None), default=None)
        start = own_start if window in ("always", None) else last_start
        stronger = [s for s, w in when[index + 1 :] if w == "always"]
        held, rule = _in_force(terms, start, window, stronger, seen)
        rows += _legs(route, f"prices[{index}]", entry.prices, held, Meaning(None, rule=rule))
    return rows


def _variants(route: tuple[str, str], variants: list[_Variant], terms: Terms, seen: date) -> list[Row]:
    """Figures of `price_variants`: for each price of a variant, earlier entries of the list take precedence."""
    rows = []
    stronger: dict[tuple[str, str], list[date | None]] = defaultdict(list)
    for index, entry in enumerate(variants):
        name = "&".join(v if k in _CHOICES else f"{k}={v}" for k, v in sorted(entry.when.items()))
        start, window = _condition(entry.constraint)
        for key, value in entry.prices.items():
            held, rule = _in_force(terms, start, window, stronger[name, key], seen)
            meaning = Meaning(None, 0, name, rule)
            rows += _legs(route, f"price_variants[{index}]", {key: value}, held, meaning)
            if window == "always":
                stronger[name, key].append(start)
    return rows


def _legs(route: tuple[str, str], path: str, prices: dict[str, Any], terms: Terms, meaning: Meaning) -> list[Row]:
    """Figures of one price object, each tier of a price a figure of its own."""
    rows = []
    for key, value in prices.items():
        leg = _LEGS.get(key)
        told = meaning._replace(leg=leg, rule=meaning.rule or (None if leg else _refused_key(key)))
        if isinstance(value, dict) and isinstance(value.get("tiers"), list):
            rows.append(figure(route, f"{path}.{key}.base", value.get("base"), told, terms))
            for index, tier in enumerate(value["tiers"]):
                start = tokens(tier.get("start")) if isinstance(tier, dict) else None
                price = tier.get("price") if isinstance(tier, dict) else tier
                above = told._replace(tier_min_tokens=start or 0, rule=told.rule or (None if start else "unknown_condition"))
                rows.append(figure(route, f"{path}.{key}.tiers[{index}]", price, above, terms))
        elif value is not None:
            rows.append(figure(route, f"{path}.{key}", value, told, terms))
    return rows


def _refused_key(key: str) -> str:
    if key.endswith("_mtok"):
        return "leg_not_kept"
    return "unit_not_per_token" if _OTHER_UNIT.fullmatch(key) else "unknown_price_key"


def _condition(constraint: object) -> tuple[date | None, str | None]:
    """Start date and window of a constraint; the window is None where the constraint says anything else."""
    if constraint is None:
        return None, "always"
    fields = {key: value for key, value in constraint.items() if key != "type"} if isinstance(constraint, dict) else {}
    if fields.keys() == {"start_date"} and (start := day(fields["start_date"])):
        return start, "always"
    if fields.keys() == {"start_time", "end_time"}:
        try:
            return None, window_text(f"{_utc(fields['start_time'])}-{_utc(fields['end_time'])}")
        except (TypeError, ValueError):
            return None, None
    return None, None


def _utc(clock: str) -> str:
    """A time of day as HH:MM in UTC; a time without an offset is UTC."""
    moment = datetime.combine(date(2000, 1, 2), time.fromisoformat(clock))
    return f"{moment if moment.tzinfo is None else moment.astimezone(UTC):%H:%M}"


def _in_force(
    terms: Terms, start: date | None, window: str | None, stronger: list[date | None], seen: date
) -> tuple[Terms, str | None]:
    """When a price holds, given the starts of the entries that take precedence, and the rule against it if any."""
    if window is None:
        return terms, "unknown_condition"
    if any(other is None or (start is not None and other <= start) for other in stronger):
        return terms, "never_in_force"
    by_vendor = start is not None and (start < _OBSERVED_SINCE or start > seen)
    basis = None if start is None else "vendor" if by_vendor else "observed"
    end = min((other for other in stronger if other is not None), default=None)
    return terms._replace(price_window=window, valid_from=start, valid_to=end, date_basis=basis), None


def _fx_note(provider: _Provider, model: _Model) -> str | None:
    """The rate at which a price in CNY was converted: the comments of model and provider are the only place for it."""
    for comments in (model.price_comments, provider.price_comments):
        if rate := _CNY_RATE.search(text(comments) or ""):
            return f"CNY at {rate.group(1)}"
    if some := _CNY_RATE_OF_SOME.search(text(provider.price_comments) or ""):
        subject = provider.price_comments[: some.start()].rpartition(". ")[2]
        if any(model.id.endswith(f"-{name}") for name in re.findall(r"[\w.-]*\d[\w.-]*", subject)):
            return f"CNY at {some.group(1)}"
    return None

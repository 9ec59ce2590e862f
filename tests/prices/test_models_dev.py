"""models.dev: costs, tiers, modes and attributes; its seed comes by way of a package that carries its figures."""

import json
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.prices.llm_prices import RAW_MODELS, RAW_PRICES
from schemas.quarantine import Parsed, Rejected
from sources.prices import genai_prices
from sources.prices.models_dev import SOURCE, parse_models, parse_prices
from sources.source import Seed, Snapshot

(SEED,) = [rung for rung in SOURCE.floor if isinstance(rung, Seed)]


def snapshot(document: object) -> Snapshot:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Snapshot("models_dev", body, "0" * 64, "seed", "here", fetched_at=SEED.as_of)


def entry(**model: Any) -> Snapshot:
    return snapshot({"acme": {"id": "acme", "name": "Acme", "env": ["KEY"], "models": {"lab/m": {"id": "lab/m", **model}}}})


def prices(parsed: Parsed, *columns: str) -> list[tuple[Any, ...]]:
    return parsed.accepted.select(*columns, "usd_per_mtok").rows()


def test_costs_are_in_usd_per_million_tokens() -> None:
    cost = {"input": 1.25, "output": 10, "reasoning": 12, "cache_read": 0.125, "cache_write": 1.5625, "input_audio": 3}
    parsed = parse_prices(entry(cost=cost))
    assert prices(parsed, "source_provider", "source_model", "leg") == [
        ("acme", "lab/m", key, float(value)) for key, value in cost.items()
    ]
    assert set(parsed.accepted["published_unit"]) == {"usd_per_mtok"}


def test_tiers_hold_from_the_size_of_their_context() -> None:
    tier = {"input": 5, "output": 22.5, "tier": {"type": "context", "size": 272000}}
    legacy = {"input": 5, "output": 22.5}
    parsed = parse_prices(entry(cost={"input": 2.5, "output": 15, "tiers": [tier], "context_over_200k": legacy}))
    assert prices(parsed, "leg", "tier_min_tokens") == [
        ("input", 0, 2.5),
        ("output", 0, 15.0),
        ("input", 272_000, 5.0),
        ("output", 272_000, 22.5),
    ]
    assert parsed.rejected.select("column_name", "rule").rows() == [
        ("cost.context_over_200k.input", "duplicate_key"),
        ("cost.context_over_200k.output", "duplicate_key"),
    ]


def test_the_older_long_context_price_counts_where_there_are_no_tiers() -> None:
    parsed = parse_prices(entry(cost={"input": 3, "context_over_200k": {"input": 6}}))
    assert prices(parsed, "tier_min_tokens") == [(0, 3.0), (200_000, 6.0)]


@pytest.mark.parametrize(
    "selector", [{"type": "conditional", "time": {"start": "16:30"}}, {"size": 0}, {"size": 32000, "days": [6]}, None]
)
def test_a_tier_by_anything_but_prompt_length_is_quarantined(selector: object) -> None:
    parsed = parse_prices(entry(cost={"input": 3, "tiers": [{"input": 1, "tier": selector}]}))
    assert prices(parsed) == [(3.0,)]
    assert parsed.rejected.select("column_name", "rule").rows() == [("cost.tiers[0]", "unknown_condition")]


def test_a_mode_is_a_variant() -> None:
    modes = {"fast": {"cost": {"input": 20, "output": 100}}, "quiet": {"provider": {}}}
    parsed = parse_prices(entry(cost={"input": 10}, experimental={"modes": modes}))
    assert prices(parsed, "variant", "leg") == [
        ("standard", "input", 10.0),
        ("fast", "input", 20.0),
        ("fast", "output", 100.0),
    ]


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("input", 0, "zero_price"),
        ("input", -0.1, "negative_price"),
        ("input", "ask", "not_a_number"),
        ("per_minute", 0.006, "unit_not_per_token"),
        ("per_wish", 1, "unknown_price_key"),
    ],
)
def test_figures_that_are_no_price_of_a_token_are_quarantined(key: str, value: object, rule: str) -> None:
    parsed = parse_prices(entry(cost={key: value, "output": 1}))
    assert prices(parsed, "leg") == [("output", 1.0)]
    assert parsed.rejected.select("row_key", "column_name", "rule").rows() == [("acme/lab/m", f"cost.{key}", rule)]


def test_a_model_without_a_cost_has_attributes_only() -> None:
    document = entry(
        name="M", reasoning=True, open_weights=True, release_date="2026-09-10", limit={"context": 128000, "output": 1}
    )
    assert parse_prices(document).accepted.is_empty()
    assert parse_models(document).accepted.rows() == [
        ("models_dev", "acme", "lab/m", "M", date(2026, 9, 10), True, True, 128_000, None, None, None)
    ]


@pytest.mark.parametrize(("text", "rule"), [("2025-04", "date_without_day"), ("2025-13", "not_a_date"), ("?", "not_a_date")])
def test_a_release_month_is_not_a_day(text: str, rule: str) -> None:
    parsed = parse_models(entry(release_date=text))
    assert parsed.accepted["release_date"].to_list() == [None]
    assert parsed.rejected.select("row_key", "column_name", "value", "rule").rows() == [
        ("acme/lab/m", "release_date", text, rule)
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"error": "busy"}',
        b'{"openai": {"models": {"gpt-5": {"cost"',
        b'{"acme": {"models": {}}}',
    ],
)
def test_another_document_is_an_error_of_one_line(body: bytes) -> None:
    for parse_document in (parse_prices, parse_models):
        with pytest.raises(ValueError, match=r"^models_dev: expected an object of providers") as error:
            parse_document(snapshot(body))
        assert "\n" not in str(error.value)


_KEYS = st.sampled_from(["input", "output", "cache_read", "per_minute", "odd"])
_VALUES = st.one_of(st.decimals(-2, 2, places=4).map(float), st.text(max_size=4), st.booleans())


@settings(deadline=None)
@given(cost=st.dictionaries(_KEYS, _VALUES), tier=st.dictionaries(_KEYS, _VALUES))
def test_every_figure_is_either_a_price_or_quarantined(cost: dict[str, object], tier: dict[str, object]) -> None:
    parsed = parse_prices(entry(cost=cost | {"tiers": [tier | {"tier": {"size": 128000}}]}))
    assert parsed.accepted.height + parsed.rejected["n_rows"].sum() == len(cost) + len(tier)


def test_the_seed_keeps_the_contracts() -> None:
    seed = snapshot(SEED.path.read_bytes())
    parsed, models = parse_prices(seed), parse_models(seed)
    RAW_PRICES["models_dev"].validate(parsed.accepted, lazy=True)
    RAW_MODELS["models_dev"].validate(models.accepted, lazy=True)
    Rejected.validate(parsed.rejected, lazy=True)
    assert parsed.rejected.is_empty()
    assert models.accepted.height == parsed.accepted.select("source_provider", "source_model").n_unique()


def test_the_seed_agrees_with_genai_prices_but_for_the_peak_price_of_deepseek() -> None:
    installed = Snapshot(
        "genai_prices",
        genai_prices.installed_document(),
        "0" * 64,
        "installed",
        "here",
        datetime(2026, 11, 10, tzinfo=UTC),
    )
    theirs = genai_prices.parse_prices(installed).accepted.filter(
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= SEED.as_of.date()),
        pl.col("valid_to").is_null() | (pl.col("valid_to") > SEED.as_of.date()),
    )
    same = ["source_provider", "source_model", "leg", "tier_min_tokens", "variant", "price_window"]
    shared = parse_prices(snapshot(SEED.path.read_bytes())).accepted.join(theirs, on=same, suffix="_theirs")
    factor = (pl.col("usd_per_mtok") / pl.col("usd_per_mtok_theirs")).round(9)
    assert shared.height >= 200
    assert set(shared.filter(source_provider="deepseek").select(factor).to_series()) == {2.0}
    assert set(shared.filter(pl.col("source_provider") != "deepseek").select(factor).to_series()) == {1.0}

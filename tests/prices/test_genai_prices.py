"""genai-prices: the installed data as a v2 document, its dates, windows, tiers and variants, checked against its own code."""

import json
from datetime import UTC, date, datetime, time
from typing import Any

import genai_prices
import polars as pl
import pytest
from genai_prices import types
from genai_prices.data import providers as packaged
from genai_prices.update_prices import DEFAULT_UPDATE_URL
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.prices.llm_prices import RAW_PRICES
from schemas.quarantine import Parsed, Rejected
from sources.prices.genai_prices import SOURCE, installed_document, parse_prices
from sources.source import Http, Snapshot

LEGS = {
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


def snapshot(document: object, published: date = date(2026, 11, 10)) -> Snapshot:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    at = datetime.combine(published, time(), tzinfo=UTC)
    return Snapshot("genai_prices", body, "0" * 64, "installed", "here", fetched_at=at, published_at=at)


def parse(prices: object, **model: Any) -> Parsed:
    return parse_prices(snapshot([{"id": "acme", "models": [{"id": "m", "prices": prices, **model}]}]))


def rows(parsed: Parsed, *columns: str) -> list[tuple[Any, ...]]:
    return parsed.accepted.select(*columns, "usd_per_mtok").rows()


@pytest.fixture(scope="module")
def installed() -> Parsed:
    return parse_prices(snapshot(installed_document()))


def test_the_live_address_is_the_one_the_package_itself_reads() -> None:
    (rung,) = SOURCE.live
    assert rung == Http(DEFAULT_UPDATE_URL)
    assert "/v2/" in rung.url


def test_the_installed_data_is_written_in_the_shape_the_package_reads() -> None:
    document = json.loads(installed_document())
    for provider in document:
        provider |= {"name": "", "api_pattern": ""}
        for model in provider["models"]:
            model["match"] = {"equals": model["id"]}
    read = types._providers_from_raw(document)
    assert [p.id for p in read] == [p.id for p in packaged]
    for theirs, ours in zip(packaged, read, strict=True):
        assert [(m.id, m.prices, m.price_variants) for m in ours.models] == [
            (m.id, m.prices, m.price_variants) for m in theirs.models
        ]


def test_the_installed_prices_keep_the_contract(installed: Parsed) -> None:
    RAW_PRICES["genai_prices"].validate(installed.accepted, lazy=True)
    Rejected.validate(installed.rejected, lazy=True)
    assert set(installed.rejected["rule"]) <= {"unit_not_per_token", "leg_not_kept", "zero_price"}


def test_no_figure_of_the_package_is_lost(installed: Parsed) -> None:
    figures = 0
    for provider in packaged:
        for model in provider.models:
            standard = [model.prices] if isinstance(model.prices, types.ModelPrice) else [c.prices for c in model.prices]
            for price in [*standard, *(v.prices for v in model.price_variants or [])]:
                for value in vars(price).values():
                    figures += 1 + len(value.tiers) if isinstance(value, types.TieredPrices) else value is not None
    assert installed.accepted.height + installed.rejected["n_rows"].sum() == figures


QUIET = time(20, 0, tzinfo=UTC)
"""A time of day outside the daily windows of the package's data."""


@settings(max_examples=60, deadline=None)
@given(day=st.dates(date(2025, 1, 1), date(2027, 12, 31)), context=st.sampled_from([None, "batch"]), data=st.data())
def test_the_rows_in_force_on_a_day_are_what_the_package_charges(
    installed: Parsed, day: date, context: str | None, data: st.DataObject
) -> None:
    provider = data.draw(st.sampled_from([p for p in packaged if p.models]))
    model = data.draw(st.sampled_from(provider.models))
    at = datetime.combine(day, QUIET)
    charged = model.get_prices(at, {"processing": context} if context else None)
    standard = model.get_prices(at)
    expected = set()
    for key, value in vars(charged).items():
        if value is None or (context and value == getattr(standard, key)) or key not in LEGS:
            continue
        tiers = value.tiers if isinstance(value, types.TieredPrices) else []
        base = value.base if isinstance(value, types.TieredPrices) else value
        expected |= {(LEGS[key], 0, float(base)), *((LEGS[key], t.start, float(t.price)) for t in tiers)}
    held = installed.accepted.filter(
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= day),
        pl.col("valid_to").is_null() | (pl.col("valid_to") > day),
        source_provider=provider.id,
        source_model=model.id,
        price_window="always",
        variant=context or "standard",
    )
    found = set(held.select("leg", "tier_min_tokens", "usd_per_mtok").rows())
    assert {(leg, tier, round(price, 9)) for leg, tier, price in expected} <= {
        (leg, tier, round(price, 9)) for leg, tier, price in found
    }
    if context is None:
        assert len(found) == len(expected)


def test_o3_became_cheaper_on_the_day_the_vendor_said(installed: Parsed) -> None:
    o3 = installed.accepted.filter(source_provider="openai", source_model="o3", leg="input", variant="standard")
    assert o3.select("usd_per_mtok", "valid_from", "valid_to", "date_basis").rows() == [
        (10.0, None, date(2025, 6, 10), None),
        (2.0, date(2025, 6, 10), None, "vendor"),
    ]


def test_dates_since_october_2026_are_observations_unless_they_lie_ahead() -> None:
    starts = ["2026-09-30", "2026-10-01", "2027-01-01"]
    prices = [{"prices": {"input_mtok": 1}}] + [
        {"constraint": {"start_date": start}, "prices": {"input_mtok": n}} for n, start in enumerate(starts, start=2)
    ]
    assert rows(parse(prices), "valid_from", "valid_to", "date_basis") == [
        (None, date(2026, 9, 30), None, 1.0),
        (date(2026, 9, 30), date(2026, 10, 1), "vendor", 2.0),
        (date(2026, 10, 1), date(2027, 1, 1), "observed", 3.0),
        (date(2027, 1, 1), None, "vendor", 4.0),
    ]


def test_a_daily_window_starts_with_the_dated_price_before_it() -> None:
    peak = {"start_time": "18:00:00+08:00", "end_time": "01:30:00+08:00"}
    prices = [
        {"prices": {"input_mtok": 0.435}},
        {"constraint": {"start_date": "2026-08-17"}, "prices": {"input_mtok": 0.66}},
        {"constraint": peak, "prices": {"input_mtok": 1.32}},
    ]
    assert rows(parse(prices), "price_window", "valid_from", "valid_to") == [
        ("always", None, date(2026, 8, 17), 0.435),
        ("always", date(2026, 8, 17), None, 0.66),
        ("10:00-17:30", date(2026, 8, 17), None, 1.32),
    ]


def test_a_window_over_midnight_reads_from_evening_to_morning() -> None:
    window = {"start_time": "16:30:00Z", "end_time": "00:30:00"}
    prices = [{"prices": {"output_mtok": 1.1}}, {"constraint": window, "prices": {"output_mtok": 0.55}}]
    assert rows(parse(prices), "price_window") == [("always", 1.1), ("16:30-00:30", 0.55)]


@pytest.mark.parametrize(
    "constraint",
    [{"start_time": "01:00:00Z", "end_time": "04:00:00Z", "weekdays": [1]}, {"region": "eu"}, {"start_date": "soon"}],
)
def test_a_condition_that_is_not_known_makes_no_price(constraint: dict[str, object]) -> None:
    parsed = parse([{"prices": {"input_mtok": 1}}, {"constraint": constraint, "prices": {"input_mtok": 2}}])
    assert rows(parsed) == [(1.0,)]
    assert parsed.rejected["rule"].to_list() == ["unknown_condition"]


def test_an_entry_that_can_never_apply_is_refused() -> None:
    prices = [
        {"constraint": {"start_date": "2026-05-01"}, "prices": {"input_mtok": 2}},
        {"constraint": {"start_date": "2026-02-01"}, "prices": {"input_mtok": 1}},
    ]
    parsed = parse(prices)
    assert rows(parsed, "valid_from") == [(date(2026, 2, 1), 1.0)]
    assert parsed.rejected["rule"].to_list() == ["never_in_force"]


def test_tiers_hold_from_their_start() -> None:
    tiered = {"base": 3, "tiers": [{"start": 200000, "price": 6}, {"price": 7}]}
    parsed = parse({"input_mtok": tiered})
    assert rows(parsed, "source_key", "tier_min_tokens") == [
        ("prices.input_mtok.base", 0, 3.0),
        ("prices.input_mtok.tiers[0]", 200_000, 6.0),
    ]
    assert parsed.rejected["rule"].to_list() == ["unknown_condition"]


def test_variants_override_single_prices_and_the_first_that_applies_wins() -> None:
    variants = [
        {"when": {"processing": "batch"}, "prices": {"input_mtok": 2}, "constraint": {"start_date": "2027-01-01"}},
        {"when": {"processing": "batch"}, "prices": {"input_mtok": 1, "output_mtok": 5}},
        {"when": {"service_tier": "default"}, "prices": {}},
        {"when": {"route": "mistral/eu"}, "prices": {"input_mtok": 2.2}},
    ]
    parsed = parse({"input_mtok": 2, "output_mtok": 10}, price_variants=variants)
    assert rows(parsed, "variant", "leg", "valid_from", "valid_to") == [
        ("standard", "input", None, None, 2.0),
        ("standard", "output", None, None, 10.0),
        ("batch", "input", date(2027, 1, 1), None, 2.0),
        ("batch", "input", None, date(2027, 1, 1), 1.0),
        ("batch", "output", None, None, 5.0),
        ("route=mistral/eu", "input", None, None, 2.2),
    ]


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("web_searches_kcount", 10, "unit_not_per_token"),
        ("audio_hours", 0.36, "unit_not_per_token"),
        ("input_document_kpages", 4, "unit_not_per_token"),
        ("output_image_mtok", 60, "leg_not_kept"),
        ("cache_write_5m_mtok", 60, "leg_not_kept"),
        ("per_dream", 1, "unknown_price_key"),
        ("input_mtok", 0, "zero_price"),
        ("input_mtok", -1, "negative_price"),
        ("input_mtok", "call us", "not_a_number"),
    ],
)
def test_other_units_and_figures_that_are_no_price_are_quarantined(key: str, value: object, rule: str) -> None:
    parsed = parse({key: value, "output_mtok": 1})
    assert rows(parsed, "leg") == [("output", 1.0)]
    assert parsed.rejected.select("row_key", "column_name", "rule").rows() == [("acme/m", f"prices.{key}", rule)]


def test_prices_converted_from_cny_say_at_which_rate(installed: Parsed) -> None:
    converted = installed.accepted.filter(pl.col("fx_note").is_not_null())
    assert set(converted.filter(source_provider="zhipuai")["fx_note"]) == {"CNY at 7.25"}
    assert installed.accepted.filter(pl.col("fx_note").is_null(), source_provider="zhipuai").is_empty()
    minimax = converted.filter(source_provider="minimax")
    assert set(minimax["fx_note"]) == {"CNY at 7.00"}
    assert set(minimax["source_model"]) == {"MiniMax-M2", "MiniMax-M2.1-highspeed"}
    assert set(converted["source_provider"]) == {"zhipuai", "minimax"}


@pytest.mark.parametrize(
    "body", [b"<!doctype html>", b'{"units": {}, "providers": []}', b'[{"id": "anthropic", "mod', b"[]", b"null"]
)
def test_another_document_is_an_error_of_one_line(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^genai_prices: expected a list of providers \(v2 data\), found ") as error:
        parse_prices(snapshot(body))
    assert "\n" not in str(error.value)


def test_the_floor_is_as_old_as_the_oldest_version_we_allow() -> None:
    (floor,) = SOURCE.floor
    assert tuple(int(part) for part in genai_prices.__version__.split(".")) >= (0, 2, 3)
    assert floor.as_of == datetime(2026, 11, 10, tzinfo=UTC)

"""LiteLLM's price file: the open family of keys, the traps in it, and agreement with what others say."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.prices.llm_prices import RAW_MODELS, RAW_PRICES
from schemas.quarantine import Parsed, Rejected
from sources.prices import genai_prices, litellm
from sources.prices.litellm import SOURCE, key_meaning, parse_models, parse_prices
from sources.prices.price_keys import Meaning
from sources.source import Seed, Snapshot

(SEED,) = [rung for rung in SOURCE.floor if isinstance(rung, Seed)]


def snapshot(document: object) -> Snapshot:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Snapshot("litellm", body, "0" * 64, "seed", "here", fetched_at=datetime(2026, 11, 12, tzinfo=UTC))


def parse(**entry: Any) -> Parsed:
    return parse_prices(snapshot({"a-model": {"litellm_provider": "openai", **entry}}))


def prices(parsed: Parsed, *columns: str) -> list[tuple[Any, ...]]:
    return parsed.accepted.select(*columns, "usd_per_mtok").rows()


def rules(parsed: Parsed) -> dict[str, str]:
    return dict(parsed.rejected.select("column_name", "rule").rows())


@pytest.mark.parametrize(
    ("key", "meaning"),
    [
        ("input_cost_per_token", Meaning("input")),
        ("output_cost_per_token_above_200k_tokens", Meaning("output", 200_000)),
        ("cache_read_input_token_cost_above_272k_tokens_priority", Meaning("cache_read", 272_000, "priority")),
        ("cache_creation_input_token_cost_batches", Meaning("cache_write", 0, "batch")),
        ("cache_creation_input_token_cost_above_1hr", Meaning("cache_write_1h")),
        ("cache_creation_input_token_cost_above_1hr_above_200k_tokens", Meaning("cache_write_1h", 200_000)),
        ("output_cost_per_reasoning_token", Meaning("reasoning")),
        ("input_cost_per_audio_token_flex", Meaning("input_audio", 0, "flex")),
        ("litellm_provider", None),
        ("max_input_tokens", None),
    ],
)
def test_a_key_is_a_leg_a_threshold_and_a_tier(key: str, meaning: Meaning | None) -> None:
    assert key_meaning(key) == meaning


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("cache_creation_input_token_cost_above_12hr", "leg_not_kept"),
        ("input_cost_per_image_token", "leg_not_kept"),
        ("input_dbu_cost_per_token", "unit_not_per_token"),
        ("output_cost_per_image_2K", "unit_not_per_token"),
        ("input_cost_per_audio_per_second", "unit_not_per_token"),
        ("input_cost_per_character_above_128k_tokens", "unit_not_per_token"),
        ("search_context_cost_per_query", "unit_not_per_token"),
        ("input_cost_per_token_hyperfast", "unknown_price_key"),
        ("surprise_price", "unknown_price_key"),
    ],
)
def test_a_key_that_is_no_leg_of_ours_is_refused_by_name(key: str, rule: str) -> None:
    meaning = key_meaning(key)
    assert meaning is not None
    assert meaning.rule == rule


def test_prices_come_in_usd_per_million_tokens_with_the_figure_as_published() -> None:
    parsed = parse(input_cost_per_token=1.0000000000000001e-07, output_cost_per_token="6e-07")
    columns = parsed.accepted.select("leg", "published_value", "published_unit", "usd_per_mtok", "seen_on")
    assert columns.rows() == [
        ("input", "1.0000000000000001e-07", "usd_per_token", 0.1, date(2026, 11, 12)),
        ("output", "6e-07", "usd_per_token", 0.6, date(2026, 11, 12)),
    ]


@settings(deadline=None)
@given(digits=st.integers(1, 10**6), exponent=st.integers(-12, -5))
def test_conversion_leaves_no_float_dust(digits: int, exponent: int) -> None:
    published = Decimal(digits).scaleb(exponent)
    (converted,) = parse(input_cost_per_token=float(published)).accepted["usd_per_mtok"]
    assert converted == float(published * 1_000_000)


@pytest.mark.parametrize(
    ("published", "rule", "severity"),
    [
        (0, "zero_price", "out_of_scope"),
        (0.0, "zero_price", "out_of_scope"),
        (-1e-6, "negative_price", "invalid"),
        ("see website", "not_a_number", "invalid"),
        ("NaN", "not_a_number", "invalid"),
        (True, "not_a_number", "invalid"),
        ({"eu": 1e-6}, "not_a_number", "invalid"),
    ],
)
def test_a_figure_that_is_no_price_is_quarantined(published: object, rule: str, severity: str) -> None:
    parsed = parse(input_cost_per_token=published, output_cost_per_token=2e-6)
    assert prices(parsed, "leg") == [("output", 2.0)]
    assert parsed.rejected.select("row_key", "column_name", "rule", "severity").rows() == [
        ("a-model", "input_cost_per_token", rule, severity)
    ]


def test_a_price_slip_is_left_to_the_contract_of_the_table() -> None:
    assert prices(parse(input_cost_per_token=0.0032)) == [(3200.0,)]


def test_null_is_no_price_and_no_error() -> None:
    parsed = parse(input_cost_per_token=None, output_cost_per_token=1e-6)
    assert prices(parsed, "leg") == [("output", 1.0)]
    assert parsed.rejected.is_empty()


def test_the_same_price_under_two_keys_is_kept_once() -> None:
    parsed = parse(cache_read_input_token_cost=2.8e-8, input_cost_per_token_cache_hit=2.8e-8)
    assert prices(parsed, "source_key") == [("cache_read_input_token_cost", 0.028)]
    assert rules(parsed) == {"input_cost_per_token_cache_hit": "duplicate_key"}


def test_two_prices_for_the_same_tokens_are_suspect() -> None:
    parsed = parse(cache_read_input_token_cost=2.8e-8, input_cost_per_token_cache_hit=5e-8)
    assert prices(parsed, "leg") == [("cache_read", 0.028)]
    assert parsed.rejected.select("rule", "severity").rows() == [("conflicting_key", "suspect")]


def test_tiered_pricing_is_the_same_idea_as_thresholds() -> None:
    tiers = [
        {"range": [0, 256000.0], "input_cost_per_token": 4e-7, "output_cost_per_reasoning_token": 4e-6},
        {"range": [256000.0, 1e6], "input_cost_per_token": 1.2e-6},
        {"max_results_range": [0, 25], "input_cost_per_query": 0.005},
        {"input_cost_per_token": 9e-6},
    ]
    parsed = parse(input_cost_per_token=4e-7, tiered_pricing=tiers)
    assert prices(parsed, "source_key", "leg", "tier_min_tokens") == [
        ("input_cost_per_token", "input", 0, 0.4),
        ("tiered_pricing[0].output_cost_per_reasoning_token", "reasoning", 0, 4.0),
        ("tiered_pricing[1].input_cost_per_token", "input", 256_000, 1.2),
    ]
    assert rules(parsed) == {
        "tiered_pricing[0].input_cost_per_token": "duplicate_key",
        "tiered_pricing[2].input_cost_per_query": "unit_not_per_token",
        "tiered_pricing[3].input_cost_per_token": "unknown_condition",
    }


def test_off_peak_prices_hold_in_windows_beside_the_peak_price() -> None:
    block = {
        "input_cost_per_token": 1.5e-7,
        "windows": [
            {"hours_utc": ["00:00-01:00", "10:00-00:00"], "weekdays": [1, 2, 3, 4, 5]},
            {"hours_utc": "00:00-00:00", "weekdays": [6, 7]},
        ],
    }
    parsed = parse(input_cost_per_token=3e-7, off_peak_pricing=block)
    assert prices(parsed, "price_window") == [
        ("always", 0.3),
        ("00:00-01:00 Mon-Fri", 0.15),
        ("10:00-00:00 Mon-Fri", 0.15),
        ("00:00-24:00 Sat-Sun", 0.15),
    ]


def test_an_off_peak_block_may_be_one_plain_window() -> None:
    parsed = parse(off_peak_pricing={"hours_utc": "16:30-00:30", "output_cost_per_token": 5.5e-7})
    assert prices(parsed, "price_window", "leg") == [("16:30-00:30", "output", 0.55)]


def test_weekdays_of_another_time_zone_are_said() -> None:
    hours = {"hours_utc": "10:00-00:00", "weekdays": [1, 3]}
    parsed = parse(off_peak_pricing={"input_cost_per_token": 1e-6, "windows": [hours], "weekday_timezone": "Asia/Shanghai"})
    assert prices(parsed, "price_window") == [("10:00-00:00 Mon,Wed in Asia/Shanghai", 1.0)]


@pytest.mark.parametrize("hours", ["at night", 7, ["10:00-11:00", "25-26"]])
def test_hours_that_are_not_understood_make_no_price(hours: object) -> None:
    parsed = parse(off_peak_pricing={"hours_utc": hours, "input_cost_per_token": 1e-6})
    assert parsed.accepted.is_empty()
    assert rules(parsed) == {"off_peak_pricing.input_cost_per_token": "unknown_condition"}


def test_entries_that_are_not_models_are_left_out_or_refused() -> None:
    document = {
        "sample_spec": {"litellm_provider": "one of ...", "input_cost_per_token": 0.0},
        "fallback_generalizations": {"rules": []},
        "new_block": {"rules": []},
        "gpt-4": {"litellm_provider": "openai", "input_cost_per_token": 3e-5},
    }
    parsed = parse_prices(snapshot(document))
    assert parsed.accepted["source_model"].to_list() == ["gpt-4"]
    assert parsed.rejected.select("row_key", "rule").rows() == [("new_block", "no_provider")]
    assert parse_models(snapshot(document)).rejected["rule"].to_list() == ["no_provider"]


@pytest.mark.parametrize(
    "body",
    [b"<html>Not found</html>", b"[]", b'{"gpt-4": {"litellm_prov', b"{}", b'{"error": "busy"}', b"\xff\xfe", b""],
)
def test_another_document_is_an_error_of_one_line(body: bytes) -> None:
    for parse_document in (parse_prices, parse_models):
        with pytest.raises(ValueError, match=r"^litellm: expected an object of models by name, found ") as error:
            parse_document(snapshot(body))
        assert "\n" not in str(error.value)


def test_attributes_are_those_the_file_states() -> None:
    document = {
        "a": {
            "litellm_provider": "xai",
            "supports_reasoning": True,
            "max_input_tokens": 256000,
            "deprecation_date": "2026-12-31",
        },
        "b": {
            "litellm_provider": "xai",
            "deprecation_date": "soon",
            "max_input_tokens": 0,
            "supports_reasoning": "yes",
        },
    }
    parsed = parse_models(snapshot(document))
    assert parsed.accepted.select("source_model", "reasoning", "context_tokens", "deprecated_on").rows() == [
        ("a", True, 256_000, date(2026, 12, 31)),
        ("b", None, None, None),
    ]
    assert parsed.rejected.select("row_key", "column_name", "value", "rule").rows() == [
        ("b", "deprecation_date", "soon", "not_a_date")
    ]


_KEYS = st.sampled_from(["input_cost_per_token", "output_cost_per_token_batches", "input_cost_per_image", "odd_price", "mode"])
_VALUES = st.one_of(
    st.none(), st.booleans(), st.decimals(-2, 2, places=9).map(float), st.text(max_size=5), st.lists(st.integers())
)


@settings(deadline=None)
@given(entry=st.dictionaries(_KEYS, _VALUES))
def test_every_figure_is_either_a_price_or_quarantined(entry: dict[str, object]) -> None:
    parsed = parse(**entry)
    figures = [key for key, value in entry.items() if key != "mode" and value is not None]
    assert parsed.accepted.height + parsed.rejected["n_rows"].sum() == len(figures)
    assert (parsed.accepted["usd_per_mtok"] > 0).all()
    if not parsed.rejected.is_empty():
        Rejected.validate(parsed.rejected, lazy=True)


def test_the_seed_keeps_the_contracts() -> None:
    seed = snapshot(SEED.path.read_bytes())
    parsed = parse_prices(seed)
    RAW_PRICES["litellm"].validate(parsed.accepted, lazy=True)
    Rejected.validate(parsed.rejected, lazy=True)
    RAW_MODELS["litellm"].validate(parse_models(seed).accepted, lazy=True)
    assert parsed.accepted["source_model"].n_unique() == len(json.loads(seed.body))
    assert set(parsed.rejected["rule"]) <= {"zero_price", "duplicate_key"}


def test_openai_and_anthropic_prices_agree_with_genai_prices() -> None:
    ours = parse_prices(snapshot(SEED.path.read_bytes())).accepted
    installed = Snapshot(
        "genai_prices",
        genai_prices.installed_document(),
        "0" * 64,
        "installed",
        "here",
        datetime(2026, 11, 12, tzinfo=UTC),
    )
    on = date(2026, 11, 12)
    theirs = genai_prices.parse_prices(installed).accepted.filter(
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= on),
        pl.col("valid_to").is_null() | (pl.col("valid_to") > on),
        pl.col("source_provider").is_in(["openai", "anthropic"]),
    )
    same = ["source_provider", "source_model", "leg", "tier_min_tokens", "variant", "price_window"]
    shared = ours.join(theirs, on=same, suffix="_theirs")
    assert shared["source_model"].n_unique() >= 40
    assert shared.height >= 500
    assert shared.filter((pl.col("usd_per_mtok") / pl.col("usd_per_mtok_theirs") - 1).abs() > 1e-9).is_empty()


def test_the_base_price_of_deepseek_is_its_peak_price_here_and_its_off_peak_price_there() -> None:
    ours = parse_prices(snapshot(SEED.path.read_bytes())).accepted.filter(source_model="deepseek/deepseek-v4-pro", leg="input")
    peak, off_peak = (
        ours.filter(pl.col("price_window") == w)["usd_per_mtok"].item() for w in ("always", "00:00-24:00 Sat-Sun")
    )
    assert peak == 2 * off_peak


def test_live_rungs_are_the_raw_file_then_the_package() -> None:
    assert [type(rung).__name__ for rung in SOURCE.live] == ["Http", "Registry"]
    assert litellm.SOURCE.name == "litellm"

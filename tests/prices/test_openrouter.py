"""The OpenRouter models endpoint: decimal strings, free and variable routes, aliases, overrides, and its drift in 2026."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.prices.capability import RouterIndex
from schemas.prices.llm_prices import RAW_MODELS, RAW_PRICES
from schemas.quarantine import Parsed, Rejected
from sources.prices import genai_prices
from sources.prices.openrouter import SOURCE, parse_indices, parse_models, parse_pointers, parse_prices
from sources.source import Seed, Snapshot

(SEED,) = [rung for rung in SOURCE.floor if isinstance(rung, Seed)]
WHOLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "pricing" / "openrouter_models_2026-08.json"


def snapshot(document: object) -> Snapshot:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Snapshot("openrouter", body, "0" * 64, "seed", "here", fetched_at=SEED.as_of)


def row(**fields: Any) -> Snapshot:
    return snapshot({"data": [{"id": "acme/m", "pricing": {"prompt": "0.000001"}, **fields}]})


def priced(pricing: dict[str, Any], model: str = "acme/m") -> Parsed:
    return parse_prices(row(id=model, pricing=pricing))


def prices(parsed: Parsed, *columns: str) -> list[tuple[Any, ...]]:
    return parsed.accepted.select(*columns, "usd_per_mtok").rows()


def test_prices_are_decimal_strings_per_token() -> None:
    parsed = priced({"prompt": "0.0000006000000000000001", "completion": "0.00003", "input_cache_write_1h": "0.000006"})
    assert prices(parsed, "leg", "published_value") == [
        ("input", "0.0000006000000000000001", 0.6),
        ("output", "0.00003", 30.0),
        ("cache_write_1h", "0.000006", 6.0),
    ]


@pytest.mark.parametrize(
    ("model", "key", "value", "rule"),
    [
        ("openrouter/auto", "prompt", "-1", "variable_price"),
        ("acme/m:free", "prompt", "0", "free_route"),
        ("acme/m", "prompt", "0", "zero_price"),
        ("acme/m", "prompt", "-0.5", "negative_price"),
        ("acme/m", "prompt", "free", "not_a_number"),
        ("acme/m", "image", "0.001", "unit_not_per_token"),
        ("acme/m", "request", "0.01", "unit_not_per_token"),
        ("acme/m", "web_search", "0.01", "unit_not_per_token"),
        ("acme/m", "image_token", "0.000001", "leg_not_kept"),
        ("acme/m", "discount", 0.25, "discount_not_applied"),
        ("acme/m", "smell", "0.01", "unknown_price_key"),
    ],
)
def test_figures_that_are_no_price_of_a_token_are_quarantined(model: str, key: str, value: object, rule: str) -> None:
    parsed = priced({key: value, "completion": "0.000002"}, model)
    assert prices(parsed, "leg") == [("output", 2.0)]
    assert parsed.rejected.select("row_key", "column_name", "rule").rows() == [(model, f"pricing.{key}", rule)]


def test_no_discount_is_no_figure() -> None:
    assert priced({"prompt": "0.000001", "discount": 0}).rejected.is_empty()


@pytest.mark.parametrize("fields", [{"id": "~acme/m-latest"}, {"alias_target": {"slug": "acme/m-2"}}])
def test_an_alias_row_repeats_another_route(fields: dict[str, Any]) -> None:
    for parsed in (parse_prices(row(**fields)), parse_models(row(**fields))):
        assert parsed.accepted.is_empty()
        assert parsed.rejected["rule"].to_list() == ["alias_of_another_route"]


def test_overrides_are_tiers_and_windows() -> None:
    overrides = [
        {"min_prompt_tokens": 200000, "prompt": "0.000006", "completion": "0.0000225"},
        {"utc_start": 1630, "utc_end": 30, "prompt": "0.0000015"},
        {"utc_start": 100, "utc_end": 400, "utc_days": ["monday", "tuesday"], "prompt": "0.000002"},
        {"utc_days": ["saturday", "sunday"], "min_prompt_tokens": 32000, "prompt": "0.000001"},
    ]
    parsed = priced({"prompt": "0.000003", "overrides": overrides})
    assert prices(parsed, "leg", "tier_min_tokens", "price_window") == [
        ("input", 0, "always", 3.0),
        ("input", 200_000, "always", 6.0),
        ("output", 200_000, "always", 22.5),
        ("input", 0, "16:30-00:30", 1.5),
        ("input", 0, "01:00-04:00 Mon-Tue", 2.0),
        ("input", 32_000, "00:00-24:00 Sat-Sun", 1.0),
    ]


@pytest.mark.parametrize(
    "override",
    [
        {"prompt": "0.1"},
        {"max_prompt_tokens": 100, "prompt": "0.1"},
        {"min_prompt_tokens": 100, "region": "eu", "prompt": "0.1"},
        {"min_prompt_tokens": "many", "prompt": "0.1"},
        {"utc_start": 1630, "prompt": "0.1"},
        {"utc_start": 9999, "utc_end": 30, "prompt": "0.1"},
        {"utc_days": ["caturday"], "prompt": "0.1"},
        "cheaper at night",
    ],
)
def test_an_override_that_is_not_understood_is_quarantined_whole(override: object) -> None:
    parsed = priced({"prompt": "0.000003", "overrides": [override]})
    assert prices(parsed) == [(3.0,)]
    assert parsed.rejected.select("column_name", "rule").rows() == [("pricing.overrides[0]", "unknown_condition")]


def test_attributes_of_a_row_of_may_and_of_august_2026() -> None:
    may = {"supported_parameters": ["include_reasoning"], "hugging_face_id": "acme/M", "created": 1777051893}
    august = {"reasoning": {"mandatory": False}, "supported_parameters": ["tools"], "alias_target": None}
    plain = {"supported_parameters": ["tools"], "hugging_face_id": "", "expiration_date": "2026-06-01"}
    router = {"supported_parameters": ["tools"], "pricing": {"prompt": "-1"}}
    found = [
        parse_models(row(**fields)).accepted.select("reasoning", "open_weights", "release_date", "deprecated_on").row(0)
        for fields in (may, august, plain, router, {})
    ]
    assert found == [
        (True, True, date(2026, 4, 24), None),
        (True, None, None, None),
        (False, None, None, date(2026, 6, 1)),
        (None, None, None, None),
        (None, None, None, None),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"error": {"code": 429}}',
        b'{"data": []}',
        b'{"data": [{"id": "acme/m", "pri',
        b'{"data": 3}',
    ],
)
def test_another_document_is_an_error_of_one_line(body: bytes) -> None:
    for parse_document in (parse_prices, parse_models):
        with pytest.raises(ValueError, match=r"^openrouter: expected an object with a list of models") as error:
            parse_document(snapshot(body))
        assert "\n" not in str(error.value)


_VALUES = st.one_of(st.decimals(-2, 2, places=7).map(str), st.text(max_size=4), st.integers(), st.booleans())


@settings(deadline=None)
@given(pricing=st.dictionaries(st.sampled_from(["prompt", "completion", "image", "audio", "odd"]), _VALUES, min_size=1))
def test_every_figure_is_either_a_price_or_quarantined(pricing: dict[str, object]) -> None:
    parsed = priced(pricing)
    assert parsed.accepted.height + parsed.rejected["n_rows"].sum() == len(pricing)
    assert (parsed.accepted["usd_per_mtok"] > 0).all()


def count(pricing: dict[str, Any]) -> int:
    """Figures of a pricing object, those of its overrides among them."""
    conditions = {"min_prompt_tokens", "utc_start", "utc_end", "utc_days"}
    return len(pricing.keys() - {"overrides"}) + sum(len(each.keys() - conditions) for each in pricing.get("overrides") or [])


def check(document: Snapshot) -> tuple[Parsed, Parsed]:
    found, models = parse_prices(document), parse_models(document)
    RAW_PRICES["openrouter"].validate(found.accepted, lazy=True)
    RAW_MODELS["openrouter"].validate(models.accepted, lazy=True)
    Rejected.validate(found.rejected, lazy=True)
    figures = sum(1 if entry["id"].startswith("~") else count(entry["pricing"]) for entry in json.loads(document.body)["data"])
    assert found.accepted.height + found.rejected["n_rows"].sum() == figures
    return found, models


def test_the_seed_keeps_the_contracts() -> None:
    found, models = check(snapshot(SEED.path.read_bytes()))
    assert found.accepted["source_model"].n_unique() >= 60
    assert models.accepted["reasoning"].sum() >= 20


@pytest.mark.published
def test_the_whole_answer_of_august_2026_keeps_the_contracts_and_the_seed_is_a_part_of_it() -> None:
    found, models = check(snapshot(WHOLE.read_bytes()))
    assert models.accepted.height == 336 - 10
    same = ["source_model", "leg", "tier_min_tokens", "price_window", "usd_per_mtok"]
    seeded = parse_prices(snapshot(SEED.path.read_bytes())).accepted
    assert seeded.join(found.accepted, on=same, nulls_equal=True).height == seeded.height
    whole, ours = (parse_indices(snapshot(body)).accepted for body in (WHOLE.read_bytes(), SEED.path.read_bytes()))
    told = ["source_model", "scale", "score"]
    assert ours.select(told).sort(told).equals(whole.select(told).sort(told))


def indices(said: object, **fields: Any) -> Parsed:
    return parse_indices(row(benchmarks={"artificial_analysis": said}, **fields))


def test_indices_beside_a_route_are_scores_of_the_day_of_the_document() -> None:
    found = indices({"intelligence_index": 60.7, "coding_index": 78, "agentic_index": None}).accepted
    RouterIndex.validate(found)
    assert found.select("source_model", "scale", "score", "as_of", "locator").rows() == [
        ("acme/m", "aa_intelligence", 60.7, SEED.as_of.date(), "/data/0/benchmarks/artificial_analysis/intelligence_index"),
        ("acme/m", "aa_coding", 78.0, SEED.as_of.date(), "/data/0/benchmarks/artificial_analysis/coding_index"),
    ]


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"charm_index": 3.0}, "unknown_index"),
        ({"coding_index": "high"}, "not_a_number"),
        ({"coding_index": 300}, "not_a_number"),
    ],
)
def test_an_index_of_an_unknown_scale_or_size_is_quarantined(said: dict[str, object], rule: str) -> None:
    found = indices(said)
    assert found.accepted.is_empty()
    assert found.rejected["rule"].to_list() == [rule]


@pytest.mark.parametrize("fields", [{"id": "~acme/m-latest"}, {"benchmarks": None}, {"benchmarks": {"design_arena": []}}])
def test_a_route_without_indices_of_its_own_gives_no_score(fields: dict[str, Any]) -> None:
    said = {"benchmarks": {"artificial_analysis": {"coding_index": 5.0}}} | fields
    assert parse_indices(row(**said)).accepted.is_empty()


@pytest.mark.parametrize("target", [{"name": "Acme 2", "slug": "acme/m-2"}, "acme/m-2"])
def test_a_moving_name_points_to_a_route_on_the_day_of_the_document(target: object) -> None:
    found = parse_pointers(row(id="~acme/m-latest", alias_target=target)).accepted
    assert found.select("as_of", "source_model", "points_to").rows() == [(SEED.as_of.date(), "~acme/m-latest", "acme/m-2")]
    assert parse_pointers(row(id="~acme/m-latest")).accepted.is_empty()


def test_the_seed_rates_the_models_of_2026() -> None:
    found = parse_indices(snapshot(SEED.path.read_bytes())).accepted
    rated = dict(found.filter(scale="aa_intelligence").select("source_model", "score").rows())
    assert (rated["anthropic/claude-opus-5"], rated["openai/gpt-5.6-sol"]) == (60.7, 58.9)
    assert found["source_model"].str.replace(":free$", "").n_unique() >= 107


def test_vendor_prices_agree_with_genai_prices_of_that_day_but_for_two_models_at_half() -> None:
    """Two days after OpenAI's cut of gpt-5.6-luna and -terra the router sold both at half of the new price."""
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
        pl.col("source_provider").is_in(["openai", "anthropic"]) & ~pl.col("source_model").str.starts_with("gpt-oss"),
        variant="standard",
    )
    ours = parse_prices(snapshot(SEED.path.read_bytes())).accepted
    route = pl.col("source_model").str.replace_all(".", "-", literal=True)
    shared = ours.with_columns(route=route).join(
        theirs.with_columns(route=pl.format("{}/{}", "source_provider", route)),
        on=["route", "leg", "tier_min_tokens"],
        suffix="_theirs",
    )
    differs = (pl.col("usd_per_mtok") / pl.col("usd_per_mtok_theirs") - 1).abs() > 1e-9
    assert shared.height >= 60
    halved = pl.col("source_model").is_in(["openai/gpt-5.6-luna", "openai/gpt-5.6-terra"])
    ratio = pl.col("usd_per_mtok") / pl.col("usd_per_mtok_theirs")
    assert set(shared.filter(halved).select(ratio.round(6)).to_series()) == {0.5}
    assert shared.filter(differs, ~halved).is_empty()

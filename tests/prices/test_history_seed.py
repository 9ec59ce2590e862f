"""The shipped price history: every row followed back to its document, and at most one price on any day."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.prices.llm_price_seed import LlmPriceSeed
from sources.prices.history_seed import SOURCE, parse_prices
from sources.prices.model_map import models, providers, resolve
from sources.source import Seed, Snapshot, content_hash

PRICING = Path(__file__).resolve().parents[3] / "shared" / "data" / "pricing"

PRICE = ["source_provider", "source_model", "leg", "tier_min_tokens", "variant", "price_window"]
FAR = date(2100, 1, 1)


def shipped() -> pl.DataFrame:
    seed = SOURCE.floor[0]
    assert isinstance(seed, Seed)
    body = seed.path.read_bytes()
    snapshot = Snapshot(
        "llm_price_seed", body, content_hash(body), "seed", "file", datetime(2026, 11, 20, tzinfo=UTC), seed.as_of
    )
    return parse_prices(snapshot).accepted


HISTORY = shipped()


def prices_of(model: str, provider: str) -> list[tuple[date, float, float]]:
    """First days and prices of input and output, base tier, all hours."""
    base = HISTORY.filter(
        (pl.col("source_model") == model)
        & (pl.col("source_provider") == provider)
        & (pl.col("tier_min_tokens") == 0)
        & (pl.col("price_window") == "always")
    )
    legs = base.pivot(on="leg", index="valid_from", values="usd_per_mtok").sort("valid_from")
    return legs.select("valid_from", "input", "output").rows()


def test_contract_and_size() -> None:
    LlmPriceSeed.validate(HISTORY)
    assert HISTORY.height >= 100
    assert HISTORY["seen_on"].unique().to_list() == [date(2026, 11, 12)]


def test_names_are_canonical() -> None:
    assert set(HISTORY["source_model"]) <= set(models()["model"])
    assert set(HISTORY["source_provider"]) <= set(providers()["provider"])
    known = resolve(HISTORY)
    assert (known["model"] == known["source_model"]).all()
    assert (known["provider"] == known["source_provider"]).all()
    own = known.filter("first_party")["source_model"].n_unique()
    assert own >= 50


def test_at_least_25_models_changed_price() -> None:
    always = HISTORY.filter((pl.col("leg") == "output") & (pl.col("tier_min_tokens") == 0))
    steps = always.group_by("source_provider", "source_model").agg(pl.col("usd_per_mtok").n_unique())
    assert steps.filter(pl.col("usd_per_mtok") > 1)["source_model"].n_unique() >= 25


def test_every_period_has_an_input_and_an_output_price() -> None:
    key = [name for name in PRICE if name != "leg"]
    assert HISTORY.group_by(*key, "valid_from").agg(pl.col("leg").sort())["leg"].to_list() == [["input", "output"]] * (
        HISTORY.height // 2
    )


def test_dates_are_ordered_and_periods_do_not_overlap() -> None:
    assert HISTORY["valid_from"].null_count() == 0
    assert HISTORY["valid_from"].min() >= date(2023, 1, 1)  # type: ignore[operator]
    assert HISTORY.filter(pl.col("valid_to") <= pl.col("valid_from")).is_empty()
    ordered = HISTORY.sort(*PRICE, "valid_from").with_columns(next_from=pl.col("valid_from").shift(-1).over(PRICE))
    followed = ordered.filter(pl.col("next_from").is_not_null())
    assert followed.filter(pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("next_from"))).is_empty()


def test_no_period_is_followed_by_the_same_prices() -> None:
    """A change changes something: no row is a second sighting of the price before it."""
    key = [name for name in PRICE if name != "leg"]
    legs = HISTORY.pivot(on="leg", index=[*key, "valid_from"], values="usd_per_mtok").sort(*key, "valid_from")
    same = (pl.col("input") == pl.col("input").shift(1).over(key)) & (pl.col("output") == pl.col("output").shift(1).over(key))
    assert legs.filter(same).is_empty()


def test_well_known_changes() -> None:
    assert prices_of("o3", "openai") == [(date(2025, 4, 16), 10.0, 40.0), (date(2025, 6, 10), 2.0, 8.0)]
    assert prices_of("gpt-3.5-turbo", "openai") == [(date(2023, 11, 14), 1.5, 2.0), (date(2024, 1, 25), 0.5, 1.5)]
    assert prices_of("claude-3.5-haiku", "anthropic") == [(date(2024, 11, 4), 1.0, 5.0), (date(2024, 12, 3), 0.8, 4.0)]
    assert prices_of("gpt-5.6-luna", "openai") == [(date(2026, 7, 9), 1.0, 6.0), (date(2026, 7, 30), 0.2, 1.2)]


def test_slips_of_the_unit_are_not_taken_over() -> None:
    assert HISTORY["usd_per_mtok"].max() == 150.0  # gpt-4.5 output
    assert [output for _, _, output in prices_of("claude-instant", "anthropic")] == [5.51, 2.4]
    assert prices_of("gemini-2.0-flash", "google") == [(date(2025, 2, 7), 0.1, 0.4)]


def test_deepseek_hours_cover_the_day_once() -> None:
    hours = HISTORY.filter(
        (pl.col("source_model") == "deepseek-v4-pro") & (pl.col("price_window") != "always") & (pl.col("leg") == "output")
    )
    spans = [[int(end[:2]) for end in window.split("-")] for window in hours["price_window"]]
    assert sorted(hour % 24 for start, end in spans for hour in range(start, end if end > start else end + 24)) == list(
        range(24)
    )
    assert dict(hours.select("price_window", "usd_per_mtok").iter_rows()) == {
        "10:00-01:00": 1.98,
        "04:00-06:00": 1.98,
        "01:00-04:00": 3.96,
        "06:00-10:00": 3.96,
    }


KEYS = HISTORY.select(PRICE).unique().sort(PRICE).rows()


@given(key=st.sampled_from(KEYS), day=st.dates(date(2023, 1, 1), date(2027, 1, 1)))
def test_at_most_one_price_holds_on_any_day(key: tuple[object, ...], day: date) -> None:
    rows = HISTORY.filter(pl.all_horizontal(pl.col(name) == value for name, value in zip(PRICE, key, strict=True)))
    held = rows.filter((pl.col("valid_from") <= day) & (pl.col("valid_to").fill_null(FAR) > day))
    assert held.height <= 1


def rows_from(title: str) -> list[dict[str, object]]:
    found = HISTORY.filter(pl.col("source_title").str.contains(title))
    assert not found.is_empty()
    return found.to_dicts()


@pytest.mark.published
def test_rows_from_litellm_are_in_its_history() -> None:
    table = pl.read_csv(PRICING / "litellm_price_history.csv", infer_schema_length=None)
    known = {(r["model"], r["source"]): r for r in table.filter(pl.col("event") != "removed").to_dicts()}
    rows = rows_from("LiteLLM")
    for row in rows:
        place = re.fullmatch(r"key (\S+) in (\S+)", str(row["locator"]))
        assert place is not None
        seen = known[place[1], place[2]]
        assert seen[f"{row['leg']}_usd_per_mtok"] == row["usd_per_mtok"]
        if row["date_basis"] == "observed":
            assert seen["effective_date"] == str(row["valid_from"])
    assert len(rows) > 150


@pytest.mark.published
def test_rows_with_vendor_dates_are_in_genai_prices() -> None:
    table = pl.read_csv(PRICING / "genai_prices_dated.csv", infer_schema_length=None)
    for row in rows_from("genai-prices"):
        place = re.match(r"provider (\S+), model ([^\s:]+)", str(row["locator"]))
        assert place is not None
        records = table.filter((pl.col("provider") == place[1]) & (pl.col("model") == place[2]))
        if row["tier_min_tokens"]:
            assert f">{row['tier_min_tokens']}:{row['published_value']}" in records[f"{row['leg']}_tiers"].to_list()
            assert str(row["valid_to"]) in records["start_date"].to_list()
        else:
            dated = records.filter(pl.col(f"{row['leg']}_usd_per_mtok") == row["usd_per_mtok"])
            assert not dated.is_empty()
            if row["price_window"] == "always" and not str(row["note"] or "").startswith("list price after"):
                assert str(row["valid_from"]) in dated["start_date"].to_list()


@pytest.mark.published
def test_launch_prices_are_in_the_timeline() -> None:
    table = pl.read_csv(PRICING / "quality" / "frontier_vs_entry_timeline.csv")
    known = {row["model"]: row for row in table.to_dicts()}
    for row in rows_from("token-tariff"):
        launch = known[str(row["locator"]).removeprefix("row ")]
        leg = {"input": "in", "output": "out"}[str(row["leg"])]
        when = "current" if "repriced" in str(row["note"]) else "launch"
        assert float(launch[f"{when}_price_{leg}"]) == row["usd_per_mtok"]
        assert launch["source_url"] == row["source_url"]
        if when == "launch":
            assert launch["release_date"] == str(row["valid_from"])
        else:
            assert str(row["valid_from"]) in launch["notes"]


@pytest.mark.published
def test_legs_split_from_a_blend_give_the_blend_again() -> None:
    table = pl.read_csv(PRICING / "quality" / "epoch_ai_price_data_not_in_aa_with_benchmarks.csv")
    derived = HISTORY.filter(pl.col("basis") == "derived").pivot(
        on="leg", index=["locator", "valid_from"], values="usd_per_mtok"
    )
    assert derived.height == 7
    for row in derived.to_dicts():
        place = re.fullmatch(r"row (.+), (\d{4}-\d\d-\d\d): \S+ is the blend of 3 input to 1 output token", row["locator"])
        assert place is not None
        blend = table.filter((pl.col("Model Name") == place[1]) & (pl.col("Release Date") == place[2]))[
            "USD per 1M Tokens"
        ].item()
        assert (3 * row["input"] + row["output"]) / 4 == pytest.approx(blend, abs=1e-9)
        assert abs(row["valid_from"] - date.fromisoformat(place[2])) == timedelta(0)


@pytest.mark.published
def test_periods_without_a_next_price_end_when_the_key_left_the_file() -> None:
    table = pl.read_csv(PRICING / "litellm_price_history.csv", infer_schema_length=None)
    gone = set(table.filter(pl.col("event") == "removed").select("model", "effective_date").iter_rows())
    ended = HISTORY.filter(pl.col("note").str.contains("gone from LiteLLM's file"))
    assert ended.height >= 30
    for row in ended.to_dicts():
        place = re.search(r"end: key (\S+) gone", row["note"])
        assert place is not None
        assert (place[1], str(row["valid_to"])) in gone

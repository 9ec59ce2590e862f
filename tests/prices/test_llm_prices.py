"""From what each source says to one price per leg, with the disagreement beside it."""

import json
from datetime import UTC, date, datetime

import polars as pl

from assets.prices.consensus import consensus
from schemas.base import polars_schema
from schemas.prices.llm_prices import LlmPrice, LlmPriceCurrent
from warehouse.history import holding_on, holding_on_each

AT = datetime(2026, 11, 23, tzinfo=UTC)


def says(source: str, price: float, **changes: object) -> dict[str, object]:
    return {
        "provider": "openai",
        "model": "gpt-4o",
        "first_party": True,
        "source_provider": "openai",
        "source_model": "gpt-4o",
        "leg": "input",
        "tier_min_tokens": 0,
        "variant": "standard",
        "price_window": "always",
        "usd_per_mtok": price,
        "valid_from": date(2026, 1, 1),
        "date_basis": "import",
        "source": source,
        "observed_at": AT,
        "evidence_on": AT.date(),
        "region": "global",
        "status": "believed",
    } | changes


def agreed(*rows: dict[str, object]) -> list[dict[str, object]]:
    frame = consensus(pl.DataFrame(list(rows), schema=polars_schema(LlmPrice)), day=AT.date())
    LlmPriceCurrent.validate(frame, lazy=True)
    return frame.to_dicts()


def test_two_of_three_sources_decide_and_the_third_is_kept_beside():
    (row,) = agreed(says("genai_prices", 2.5), says("litellm", 2.5), says("openrouter", 3.0))
    assert (row["usd_per_mtok"], row["decided_by"], row["n_sources"]) == (2.5, "majority", 3)
    assert row["agreement"] == 2 / 3
    assert json.loads(row["quotes"]) == {"genai_prices": 2.5, "litellm": 2.5, "openrouter": 3.0}


def test_where_no_majority_is_the_order_of_sources_decides_and_says_so():
    (row,) = agreed(says("openrouter", 3.0), says("litellm", 2.5))
    assert (row["usd_per_mtok"], row["decided_by"], row["agreement"]) == (2.5, "source_order", 0.5)
    assert (row["low_usd_per_mtok"], row["high_usd_per_mtok"]) == (2.5, 3.0)


def test_float_dust_is_agreement():
    (row,) = agreed(says("openrouter", 0.6000000000000001), says("litellm", 0.6))
    assert row["decided_by"] == "all_agree"


def test_source_with_many_ids_of_one_model_speaks_once():
    (row,) = agreed(
        says("litellm", 2.5),
        says("litellm", 2.5, source_model="openai/gpt-4o"),
        says("litellm", 5.0, source_model="x"),
        says("genai_prices", 5.0),
    )
    assert json.loads(row["quotes"]) == {"litellm": 2.5, "genai_prices": 5.0}


def test_seeded_history_speaks_only_where_no_live_source_does():
    (row,) = agreed(says("llm_price_seed", 30.0), says("litellm", 2.5))
    assert json.loads(row["quotes"]) == {"litellm": 2.5}
    (row,) = agreed(says("llm_price_seed", 30.0))
    assert row["usd_per_mtok"] == 30.0


def test_peak_on_top_of_off_peak_and_the_reverse_agree():
    rows = agreed(
        says("genai_prices", 0.66),
        says("genai_prices", 1.32, price_window="01:00-04:00"),
        says("genai_prices", 1.32, price_window="06:00-10:00"),
        says("litellm", 1.32),
        says("litellm", 0.66, price_window="10:00-01:00"),
    )
    assert {(row["price_window"], row["usd_per_mtok"], row["decided_by"]) for row in rows} == {
        ("peak", 1.32, "all_agree"),
        ("off_peak", 0.66, "all_agree"),
    }
    assert next(row["hours"] for row in rows if row["price_window"] == "peak") == "01:00-04:00, 06:00-10:00"


def test_model_that_is_not_mapped_keeps_the_source_id():
    (row,) = agreed(says("litellm", 1.0, model=None, source_model="acme/zed-1", first_party=None))
    assert (row["model"], row["is_canonical"]) == ("acme/zed-1", False)


def test_several_days_are_each_decided_as_if_alone():
    """A price rises, another source follows later, and on one of the days a model is priced by the hour."""
    history = pl.DataFrame(
        [
            says("litellm", 2.0, valid_to=date(2026, 2, 1)),
            says("litellm", 3.0, valid_from=date(2026, 2, 1)),
            says("openrouter", 2.0, valid_to=date(2026, 3, 1)),
            says("llm_price_seed", 9.0),
            says("litellm", 6.0, valid_from=date(2026, 2, 10), price_window="16:00-18:00"),
        ],
        schema=polars_schema(LlmPrice),
    )
    days = [date(2025, 12, 31), date(2026, 1, 15), date(2026, 2, 5), date(2026, 2, 20), date(2026, 3, 15)]
    together = consensus(holding_on_each(history, days), each=["as_of"])
    alone = [consensus(holding_on(history, day), day=day).select(pl.lit(day).alias("as_of"), pl.all()) for day in days]
    assert together.equals(pl.concat(alone))
    assert together.group_by("as_of", maintain_order=True).len()["len"].to_list() == [1, 1, 2, 2]

"""Prices as slowly changing rows: what each kind of news does to the history, and what is not believed."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import empty, polars_schema
from schemas.prices.llm_prices import LlmPrice
from warehouse.history import HISTORY_COLUMNS, holding_on, merge

KEY = ["source", "source_provider", "source_model", "leg", "tier_min_tokens", "variant", "window"]
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def seen(
    day: date, prices: dict[str, float], *, source: str = "litellm", starts: dict[str, date] | None = None
) -> pl.DataFrame:
    """What one document says on one day: input price by model."""
    rows = [
        {
            "provider": "openai",
            "model": name,
            "source_provider": "openai",
            "source_model": name,
            "leg": "input",
            "tier_min_tokens": 0,
            "variant": "standard",
            "window": "always",
            "usd_per_mtok": price,
            "source": source,
            "valid_from": (starts or {}).get(name),
            "date_basis": "vendor",
            "seen_on": day,
        }
        for name, price in prices.items()
    ]
    wanted = {name: dtype for name, dtype in polars_schema(LlmPrice).items() if name not in HISTORY_COLUMNS}
    return pl.DataFrame(rows, schema={**wanted, "seen_on": pl.Date})


def fold(*documents: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fold documents one after the other; the history and what the last one had refused."""
    history, refused = empty(LlmPrice), pl.DataFrame()
    for document in documents:
        history, refused = merge(history, document, key=KEY, value="usd_per_mtok", now=NOW)
        LlmPrice.validate(history, lazy=True)
    return history, refused


def spans(history: pl.DataFrame, model: str) -> list[tuple[date | None, date | None, float]]:
    return history.filter(pl.col("source_model") == model).select("valid_from", "valid_to", "usd_per_mtok").rows()


DAYS = [date(2026, 11, day) for day in range(1, 29)]


def test_first_document_is_an_import_dated_by_the_document():
    history, _ = fold(seen(DAYS[0], {"gpt": 2.5}))
    assert history["date_basis"].to_list() == ["import"]
    assert spans(history, "gpt") == [(DAYS[0], None, 2.5)]


def test_change_closes_the_old_price_on_the_day_it_was_seen():
    history, refused = fold(seen(DAYS[0], {"gpt": 2.5}), seen(DAYS[20], {"gpt": 2.0}))
    assert spans(history, "gpt") == [(DAYS[0], DAYS[20], 2.5), (DAYS[20], None, 2.0)]
    assert history["date_basis"].to_list() == ["import", "observed"]
    assert refused.is_empty()


def test_same_document_twice_changes_nothing():
    document = seen(DAYS[0], {"gpt": 2.5, "o3": 2.0})
    once, _ = fold(document)
    twice, _ = fold(document, document)
    assert once.equals(twice)


def test_jump_of_twenty_times_is_not_believed_and_the_last_price_stays():
    history, refused = fold(seen(DAYS[0], {"gpt": 2.5}), seen(DAYS[1], {"gpt": 2500.0 / 20}))
    assert spans(history, "gpt") == [(DAYS[0], None, 2.5)]
    assert refused["rule"].to_list() == ["jump_20x"]
    assert refused["value"].to_list() == ["125.0"]


def test_price_that_goes_and_comes_back_within_14_days_was_an_error_in_between():
    history, refused = fold(seen(DAYS[0], {"gpt": 2.5}), seen(DAYS[5], {"gpt": 5.0}), seen(DAYS[12], {"gpt": 2.5}))
    assert spans(history, "gpt") == [(DAYS[0], None, 2.5)]
    assert refused.select("rule", "value").rows() == [("reverted_within_14_days", "5.0")]


def test_price_that_comes_back_later_is_news():
    history, _ = fold(seen(DAYS[0], {"gpt": 2.5}), seen(DAYS[5], {"gpt": 5.0}), seen(DAYS[25], {"gpt": 2.5}))
    assert [price for *_, price in spans(history, "gpt")] == [2.5, 5.0, 2.5]


def test_document_with_under_70_percent_of_the_rows_is_refused_whole():
    before = {f"m{i}": 1.0 + i for i in range(10)}
    history, refused = fold(seen(DAYS[0], before), seen(DAYS[1], {"m0": 9.0}))
    assert history["usd_per_mtok"].to_list() == sorted(before.values())
    assert refused.select("rule", "n_rows").rows() == [("mass_disappearance", 1)]


def test_second_shrunk_document_is_believed_and_the_rows_end():
    before, after = {f"m{i}": 1.0 + i for i in range(10)}, {"m0": 1.0}
    history, refused = fold(seen(DAYS[0], before), seen(DAYS[1], after), seen(DAYS[2], after))
    assert refused.is_empty()
    assert spans(history, "m0") == [(DAYS[0], None, 1.0)]
    assert spans(history, "m5") == [(DAYS[0], DAYS[1], 6.0)]


def test_rows_already_missing_do_not_make_the_next_document_look_shrunk():
    seeded, live = {f"seed{i}": 1.0 for i in range(20)}, {f"live{i}": 1.0 for i in range(30)}
    history, refused = fold(seen(DAYS[0], seeded), seen(DAYS[1], live), seen(DAYS[2], live | {"live0": 2.0}))
    assert refused.is_empty()
    assert spans(history, "live0") == [(DAYS[1], DAYS[2], 1.0), (DAYS[2], None, 2.0)]


def test_price_that_vanishes_once_stays_and_ends_when_that_is_confirmed():
    before = {f"m{i}": 1.0 for i in range(10)}
    without = {name: price for name, price in before.items() if name != "m3"}
    history, refused = fold(seen(DAYS[0], before), seen(DAYS[1], without))
    assert spans(history, "m3") == [(DAYS[0], None, 1.0)]
    assert refused["rule"].to_list() == ["vanished_once"]
    history, _ = fold(seen(DAYS[0], before), seen(DAYS[1], without), seen(DAYS[2], without))
    assert spans(history, "m3") == [(DAYS[0], DAYS[1], 1.0)]
    history, _ = fold(seen(DAYS[0], before), seen(DAYS[1], without), seen(DAYS[2], before))
    assert spans(history, "m3") == [(DAYS[0], None, 1.0)]
    assert history["missing_since"].null_count() == 10


def test_dated_source_gives_its_own_days_and_a_cancelled_announcement_is_kept_as_withdrawn():
    june, january = date(2025, 6, 10), date(2027, 1, 1)
    announced = pl.concat(
        [
            seen(DAYS[0], {"o3": 2.0}, source="genai_prices", starts={"o3": june}),
            seen(DAYS[0], {"o3": 1.0}, source="genai_prices", starts={"o3": january}),
        ]
    ).with_columns(valid_to=pl.Series([january, None], dtype=pl.Date))
    cancelled = seen(DAYS[9], {"o3": 2.0}, source="genai_prices", starts={"o3": june})
    history, _ = fold(announced, cancelled)
    assert spans(history, "o3") == [(june, None, 2.0), (january, None, 1.0)]
    assert history["withdrawn_on"].to_list() == [None, DAYS[9]]


def test_spike_in_a_dated_series_takes_only_itself_away_unless_it_was_checked_by_hand():
    days = [date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)]
    spike = pl.concat(
        seen(DAYS[0], {"light": price}, starts={"light": day}) for day, price in zip(days, [1.0, 150.0, 1.0], strict=True)
    )
    history, refused = fold(spike)
    assert [price for *_, price in spans(history, "light")] == [1.0, 1.0]
    assert refused.select("rule", "value").rows() == [("jump_20x", "150.0")]
    trusting, _ = merge(empty(LlmPrice), spike, key=KEY, value="usd_per_mtok", now=NOW, checked_by_hand=frozenset({"litellm"}))
    assert trusting.height == 3


def test_price_of_which_only_the_end_is_known_is_dated_too():
    ended = seen(DAYS[0], {"opus": 10.0}, source="genai_prices").with_columns(valid_to=pl.lit(date(2026, 3, 13)))
    once, _ = fold(ended)
    twice, _ = fold(ended, ended)
    assert spans(once, "opus") == [(None, date(2026, 3, 13), 10.0)]
    assert once.equals(twice)


def test_row_without_a_stated_start_holds_from_the_day_it_was_seen():
    until_2027 = seen(DAYS[0], {"opus": 10.0}, source="genai_prices").with_columns(valid_to=pl.lit(date(2027, 1, 1)))
    history, _ = fold(until_2027)
    assert holding_on(history, date(2026, 11, 22)).is_empty()
    assert holding_on(history, NOW.date()).height == 1
    assert holding_on(history, date(2027, 1, 1)).is_empty()


def test_conflicting_figures_in_one_document_are_not_averaged():
    both = pl.concat([seen(DAYS[0], {"gpt": 2.5}), seen(DAYS[0], {"gpt": 3.0})])
    history, refused = fold(both)
    assert spans(history, "gpt") == [(DAYS[0], None, 2.5)]
    assert refused.select("rule", "value").rows() == [("conflicting_figures", "3.0")]


def test_document_older_than_what_is_known_does_not_rewrite_it():
    history, refused = fold(seen(DAYS[5], {"gpt": 2.5}), seen(DAYS[0], {"gpt": 3.0}))
    assert spans(history, "gpt") == [(DAYS[5], None, 2.5)]
    assert refused["rule"].to_list() == ["older_than_known"]


def test_source_that_gave_no_document_keeps_its_rows():
    history, _ = fold(seen(DAYS[0], {"gpt": 2.5}, source="openrouter"), seen(DAYS[1], {"gpt": 2.5}))
    assert sorted(history["source"].to_list()) == ["litellm", "openrouter"]


prices = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.sampled_from([1.0, 1.5, 2.0, 30.0, 900.0]), min_size=1)


@settings(deadline=None, max_examples=30)
@given(st.lists(prices, min_size=1, max_size=8))
def test_histories_never_overlap_and_folding_again_changes_nothing(sequence: list[dict[str, float]]):
    documents = [seen(day, said) for day, said in zip(DAYS[::3], sequence, strict=False)]
    history, _ = fold(*documents)
    again, _ = merge(history, documents[-1], key=KEY, value="usd_per_mtok", now=NOW)
    assert again.drop("missing_since").equals(history.drop("missing_since"))
    in_order = history.sort("source_model", "valid_from")
    ends_before_next = in_order.select(
        (pl.col("valid_to") <= pl.col("valid_from").shift(-1).over("source_model"))
        | pl.col("valid_from").shift(-1).over("source_model").is_null()
    ).to_series()
    assert ends_before_next.all()
    assert history.filter(pl.col("valid_to").is_null()).group_by("source_model").len()["len"].max() in (1, None)
    assert history.select((pl.col("valid_to").is_null() | (pl.col("valid_to") >= pl.col("valid_from"))).all()).item()


@pytest.mark.parametrize("price", [1.0 + 1e-12, 1.0])
def test_float_dust_is_not_a_price_change(price: float):
    history, _ = fold(seen(DAYS[0], {"gpt": 1.0}), seen(DAYS[1], {"gpt": price}))
    assert history.height == 1

"""Prices as slowly changing rows: what each kind of news does to the history, and what is not believed."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import empty, polars_schema
from schemas.prices.llm_prices import LlmPrice
from warehouse.history import holding_on, merge
from warehouse.history_guards import HISTORY_COLUMNS

KEY = ["source", "source_provider", "source_model", "leg", "tier_min_tokens", "variant", "price_window"]
SAME_THING = ["model", "leg", "tier_min_tokens", "variant", "price_window"]
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
            "price_window": "always",
            "usd_per_mtok": price,
            "source": source,
            "valid_from": (starts or {}).get(name),
            "date_basis": "vendor",
            "region": "global",
            "seen_on": day,
            "evidence_on": day,
            "document_sha256": f"{source} {day}",
            "locator": f"/{name}",
        }
        for name, price in prices.items()
    ]
    wanted = {name: dtype for name, dtype in polars_schema(LlmPrice).items() if name not in HISTORY_COLUMNS}
    return pl.DataFrame(rows, schema={**wanted, "seen_on": pl.Date})


def fold(*documents: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fold documents one after the other; the history and what the last one had refused."""
    history, refused = empty(LlmPrice), pl.DataFrame()
    for document in documents:
        history, refused = merge(history, document, key=KEY, value="usd_per_mtok", now=NOW, same_thing=SAME_THING)
        LlmPrice.validate(history, lazy=True)
    return history, refused


BELIEVED = ["believed", "reverted", "corrected"]


def spans(history: pl.DataFrame, model: str, *, source: str | None = None) -> list[tuple[date | None, date | None, float]]:
    """Rows of a model that were believed at some time; of one source where it is named."""
    of_model = history.filter(pl.col("source_model") == model, pl.col("status").is_in(BELIEVED))
    of_model = of_model.filter(source=source) if source else of_model
    return of_model.select("valid_from", "valid_to", "usd_per_mtok").rows()


def statuses(history: pl.DataFrame, model: str) -> list[tuple[float, str]]:
    return history.filter(source_model=model).select("usd_per_mtok", "status").rows()


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


def test_jump_that_a_later_document_repeats_counts_from_the_day_it_was_first_seen():
    history, refused = fold(seen(DAYS[0], {"gpt": 2.5}), seen(DAYS[20], {"gpt": 0.1}), seen(DAYS[21], {"gpt": 0.1}))
    assert refused.is_empty()
    assert spans(history, "gpt") == [(DAYS[0], DAYS[20], 2.5), (DAYS[20], None, 0.1)]
    confirmed = history.row(1, named=True)
    assert [confirmed[name] for name in ("status", "held_by", "confirmed_on", "confirmed_by")] == [
        "believed",
        "jump_20x",
        DAYS[21],
        "litellm",
    ]
    assert (confirmed["evidence_on"], confirmed["document_sha256"]) == (DAYS[21], f"litellm {DAYS[21]}")


def test_jump_that_moves_on_a_little_is_confirmed_and_both_figures_have_their_days():
    history, _ = fold(*(seen(DAYS[d], {"gpt": usd}) for d, usd in ((0, 2.5), (20, 0.1), (21, 0.09))))
    assert spans(history, "gpt") == [(DAYS[0], DAYS[20], 2.5), (DAYS[20], DAYS[21], 0.1), (DAYS[21], None, 0.09)]


def test_jump_that_another_source_states_is_believed_at_once():
    both = pl.concat([seen(DAYS[0], {"gpt": 2.5}), seen(DAYS[0], {"gpt": 2.5}, source="models_dev")])
    news = pl.concat([seen(DAYS[20], {"gpt": 0.1}), seen(DAYS[20], {"gpt": 0.102}, source="models_dev")])
    history, refused = fold(both, news)
    assert refused.is_empty()
    assert spans(history, "gpt", source="litellm") == [(DAYS[0], DAYS[20], 2.5), (DAYS[20], None, 0.1)]
    assert history.filter(source="litellm")["confirmed_by"].to_list() == [None, "models_dev"]


def test_jump_that_another_source_confirms_later_counts_from_its_first_day():
    history, _ = fold(
        pl.concat([seen(DAYS[0], {"gpt": 2.5}), seen(DAYS[0], {"gpt": 2.5}, source="models_dev")]),
        seen(DAYS[20], {"gpt": 0.1}),
        seen(DAYS[22], {"gpt": 0.1}, source="models_dev"),
        pl.concat([seen(DAYS[20], {"gpt": 0.1}), seen(DAYS[23], {"gpt": 0.1}, source="models_dev")]),
    )
    assert spans(history, "gpt", source="litellm") == [(DAYS[0], DAYS[20], 2.5), (DAYS[20], None, 0.1)]


def test_jump_that_is_not_repeated_is_dismissed_and_stays_on_record():
    history, refused = fold(seen(DAYS[0], {"gpt": 2.5}), seen(DAYS[1], {"gpt": 2500.0 / 20}), seen(DAYS[2], {"gpt": 2.5}))
    assert refused.is_empty()
    assert spans(history, "gpt") == [(DAYS[0], None, 2.5)]
    assert statuses(history, "gpt") == [(2.5, "believed"), (125.0, "dismissed")]
    assert history["withdrawn_on"].to_list() == [None, DAYS[2]]


def test_false_first_figure_is_corrected_after_four_days_and_its_days_are_marked():
    """A seller lists 400 for a model that costs .05; it was corrected the same week, and 400 stayed for ever."""
    days = [seen(DAYS[d], {"cheap": 400.0}) for d in range(4)] + [seen(DAYS[d], {"cheap": 0.05}) for d in range(4, 8)]
    history, refused = fold(*days)
    assert refused.is_empty()
    assert spans(history, "cheap") == [(DAYS[0], DAYS[4], 400.0), (DAYS[4], None, 0.05)]
    assert statuses(history, "cheap") == [(400.0, "corrected"), (0.05, "believed")]
    assert holding_on(history, DAYS[2]).is_empty()
    assert holding_on(history, DAYS[4])["usd_per_mtok"].to_list() == [0.05]


def test_document_served_unchanged_on_a_later_day_confirms_its_own_jump():
    served = [seen(DAYS[4], {"cheap": 0.05}).with_columns(evidence_on=pl.lit(DAYS[d])) for d in (4, 5)]
    held, refused = fold(seen(DAYS[0], {"cheap": 400.0}), served[0], served[0])
    assert spans(held, "cheap") == [(DAYS[0], None, 400.0)]
    assert refused["rule"].to_list() == ["jump_20x"]
    history, _ = fold(seen(DAYS[0], {"cheap": 400.0}), *served)
    assert spans(history, "cheap") == [(DAYS[0], DAYS[4], 400.0), (DAYS[4], None, 0.05)]


def test_slip_that_lasted_some_days_goes_back_at_once_and_is_marked():
    slip = [2.5, 2.5, 2500.0 / 5, 2500.0 / 5, 2500.0 / 5, 2.5, 2.5]
    history, _ = fold(*(seen(DAYS[d], {"gpt": usd}) for d, usd in enumerate(slip)))
    assert spans(history, "gpt") == [(DAYS[0], DAYS[2], 2.5), (DAYS[2], DAYS[5], 500.0), (DAYS[5], None, 2.5)]
    assert statuses(history, "gpt") == [(2.5, "believed"), (500.0, "corrected"), (2.5, "believed")]


def test_floor_that_swings_keeps_every_row_and_says_which_came_and_went():
    history, refused = fold(*(seen(DAYS[3 * d], {"gpt": usd}) for d, usd in enumerate([0.6, 0.5, 0.6, 0.5, 0.6])))
    assert refused.is_empty()
    assert [price for *_, price in spans(history, "gpt")] == [0.6, 0.5, 0.6, 0.5, 0.6]
    assert history["status"].to_list() == ["believed", "reverted", "reverted", "reverted", "believed"]
    assert [holding_on(history, DAYS[3 * d])["usd_per_mtok"].item() for d in range(5)] == [0.6, 0.5, 0.6, 0.5, 0.6]


def test_figure_corrected_on_its_own_day_is_replaced_and_said():
    history, refused = fold(seen(DAYS[0], {"gpt": 2.5}), seen(DAYS[0], {"gpt": 2.0}))
    assert spans(history, "gpt") == [(DAYS[0], None, 2.0)]
    assert refused.select("rule", "value").rows() == [("corrected_same_day", "2.5")]


def test_price_that_comes_back_later_is_news():
    history, _ = fold(seen(DAYS[0], {"gpt": 2.5}), seen(DAYS[5], {"gpt": 5.0}), seen(DAYS[25], {"gpt": 2.5}))
    assert [price for *_, price in spans(history, "gpt")] == [2.5, 5.0, 2.5]


def test_document_with_under_70_percent_of_the_rows_is_refused_whole():
    before = {f"m{i}": 1.0 + i for i in range(10)}
    history, refused = fold(seen(DAYS[0], before), seen(DAYS[1], {"m0": 9.0}))
    assert holding_on(history, DAYS[1])["usd_per_mtok"].to_list() == sorted(before.values())
    assert history.filter(status="held").select("usd_per_mtok", "held_by").rows() == [(9.0, "mass_disappearance")]
    assert refused.filter(rule="mass_disappearance")["n_rows"].to_list() == [1]


def test_price_in_a_shrunk_document_counts_from_there_once_the_next_repeats_it():
    before = {f"m{i}": 1.0 + i for i in range(10)}
    history, _ = fold(seen(DAYS[0], before), seen(DAYS[1], {"m0": 9.0, "new": 1.0}), seen(DAYS[2], {"m0": 9.0, "new": 1.0}))
    assert spans(history, "m0") == [(DAYS[0], DAYS[1], 1.0), (DAYS[1], None, 9.0)]
    assert spans(history, "new") == [(DAYS[1], None, 1.0)]


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
    assert history.filter(source_model="m3")["end_confirmed_on"].to_list() == [DAYS[2]]
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
    ).with_columns(valid_to=pl.Series([*days[1:], None]))
    history, refused = fold(spike)
    assert spans(history, "light") == [(days[0], days[2], 1.0), (days[2], None, 1.0)]
    assert refused.select("rule", "value").rows() == [("jump_20x", "150.0")]
    trusting, _ = merge(empty(LlmPrice), spike, key=KEY, value="usd_per_mtok", now=NOW, checked_by_hand=frozenset({"litellm"}))
    assert trusting.height == 3


def cut_in_october(day: date) -> pl.DataFrame:
    """A dated series whose second figure is 35 times its first, as one document states it."""
    october = date(2026, 10, 19)
    before = seen(day, {"qwen": 0.1}, source="genai_prices").with_columns(valid_to=pl.lit(october))
    return pl.concat([before, seen(day, {"qwen": 3.5}, source="genai_prices", starts={"qwen": october})])


def test_refused_dated_jump_leaves_no_gap_and_a_second_sighting_confirms_it():
    october = date(2026, 10, 19)
    once, refused = fold(cut_in_october(DAYS[0]))
    assert refused["rule"].to_list() == ["jump_20x"]
    assert spans(once, "qwen", source="genai_prices") == [(None, None, 0.1)]
    assert holding_on(once, NOW.date())["usd_per_mtok"].to_list() == [0.1]
    again, _ = fold(cut_in_october(DAYS[0]), cut_in_october(DAYS[0]))
    assert again.equals(once)
    twice, refused = fold(cut_in_october(DAYS[0]), cut_in_october(DAYS[1]))
    assert refused.is_empty()
    assert sorted(spans(twice, "qwen", source="genai_prices"), key=str) == [(None, october, 0.1), (october, None, 3.5)]
    assert twice.filter(usd_per_mtok=3.5).select("confirmed_on", "confirmed_by").rows() == [(DAYS[1], "genai_prices")]


def test_dated_jump_that_another_source_states_is_believed_at_once():
    history, refused = fold(pl.concat([cut_in_october(DAYS[0]), seen(DAYS[0], {"qwen": 3.6})]))
    assert refused.is_empty()
    assert history.filter(usd_per_mtok=3.5)["confirmed_by"].to_list() == ["litellm"]


def test_dated_figure_rewritten_by_a_jump_keeps_what_was_believed_until_that_is_confirmed():
    june = date(2025, 6, 10)
    documents = [
        seen(DAYS[d], {"o3": usd}, source="genai_prices", starts={"o3": june}) for d, usd in enumerate((2.0, 0.08, 0.08))
    ]
    history, _ = fold(*documents[:2])
    assert holding_on(history, NOW.date())["usd_per_mtok"].to_list() == [2.0]
    history, _ = fold(*documents)
    assert holding_on(history, NOW.date())["usd_per_mtok"].to_list() == [0.08]


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


def test_document_older_than_the_last_evidence_neither_changes_nor_ends_a_price():
    """The live page fails and an older package answers: what the page said in the meantime stands."""
    live = [seen(DAYS[0], {"gpt": 2.5, "o3": 2.0}).with_columns(evidence_on=pl.lit(DAYS[d])) for d in (0, 9)]
    history, refused = fold(*live, seen(DAYS[5], {"gpt": 3.0}), seen(DAYS[5], {"gpt": 3.0}))
    assert spans(history, "gpt") == [(DAYS[0], None, 2.5)]
    assert spans(history, "o3") == [(DAYS[0], None, 2.0)]
    assert "older_than_known" in refused["rule"].to_list()


def test_history_of_an_earlier_version_is_read_as_believed():
    history, _ = fold(seen(DAYS[0], {"gpt": 2.5}))
    unmarked = history.with_columns(
        **{name: pl.lit(None, history.schema[name]) for name in ("status", "seen_on", "evidence_on", "document_sha256")}
    )
    after, _ = merge(unmarked, seen(DAYS[25], {"gpt": 2.0}), key=KEY, value="usd_per_mtok", now=NOW)
    LlmPrice.validate(after, lazy=True)
    assert spans(after, "gpt") == [(DAYS[0], DAYS[25], 2.5), (DAYS[25], None, 2.0)]


def test_source_that_gave_no_document_keeps_its_rows():
    history, _ = fold(seen(DAYS[0], {"gpt": 2.5}, source="openrouter"), seen(DAYS[1], {"gpt": 2.5}))
    assert sorted(history["source"].to_list()) == ["litellm", "openrouter"]


prices = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.sampled_from([1.0, 1.5, 2.0, 30.0, 900.0]), min_size=1)


@settings(deadline=None, max_examples=30)
@given(st.lists(prices, min_size=1, max_size=8))
def test_histories_never_overlap_and_folding_again_changes_nothing(sequence: list[dict[str, float]]):
    documents = [seen(day, said) for day, said in zip(DAYS[::3], sequence, strict=False)]
    history, _ = fold(*documents)
    again, _ = merge(history, documents[-1], key=KEY, value="usd_per_mtok", now=NOW, same_thing=SAME_THING)
    assert again.equals(history)
    assert set(history["usd_per_mtok"]) <= {usd for said in sequence for usd in said.values()}
    history = history.filter(pl.col("status").is_in(BELIEVED))
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

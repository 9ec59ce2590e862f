"""Price indices, slopes and factors: the tables' functions on rows one can check by eye, and facts of the published marts."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from assets.prices.compression import (
    Factor,
    by_text_and_dates,
    factors,
    hardware_factor,
    matched_factor,
    published_split,
    refit,
    with_ours,
)
from assets.prices.index import fixed_quality, levels_slope, matched, rent_index, slope_of, under, usd_per_task
from schemas.base import polars_schema
from schemas.prices.capability import Capability
from schemas.prices.compression import PriceCompression, PriceTrendFigure, PriceTrendPoint
from schemas.prices.frontier import MonthlyPrice
from schemas.prices.gpu_rents import GpuRent
from schemas.prices.index import GpuRentIndex, PriceSlope
from schemas.prices.models import Model
from schemas.serving.surface import BreakEvenSurface
from schemas.test_time.cost_per_correct import MeasuredRun
from sources.document import TRANSCRIBED
from sources.prices.price_trends import FIGURES, POINTS, parse_figures, parse_points
from sources.source import Seed, Snapshot, Source, content_hash

QUALITY = Path(__file__).resolve().parents[3] / "shared" / "data" / "pricing" / "quality"
Warehouse = duckdb.DuckDBPyConnection
Row = dict[str, Any]


def seed(source: Source) -> Snapshot:
    floor = source.floor[0]
    assert isinstance(floor, Seed)
    body = floor.path.read_bytes()
    return Snapshot(source.name, body, content_hash(body), "seed", "file", datetime(2026, 1, 1, tzinfo=UTC))


TREND_FIGURES = parse_figures(seed(FIGURES)).accepted
TREND_POINTS = parse_points(seed(POINTS)).accepted


def one(warehouse: Warehouse, query: str) -> tuple[Any, ...]:
    (row,) = warehouse.execute(query).fetchall()
    return tuple(row)


# --- published figures


def test_figures_satisfy_their_contracts_and_say_where_they_are_from() -> None:
    PriceTrendFigure.validate(TREND_FIGURES)
    PriceTrendPoint.validate(TREND_POINTS)
    for source in (FIGURES, POINTS):
        assert yaml.safe_load((TRANSCRIBED / f"{source.name}.source.yaml").read_text())["transcribed"]


@pytest.mark.published
def test_points_and_slopes_are_those_of_the_released_files() -> None:
    points = pl.read_csv(QUALITY / "epoch_lowest_price_models_data.csv")
    assert TREND_POINTS["usd"].to_list() == pytest.approx(points["USD per 1M Tokens"].to_list(), rel=1e-5)
    slopes = pl.read_csv(QUALITY / "epoch_lowest_price_models_results.csv")
    ours = TREND_FIGURES.filter(publisher="Epoch AI", status="printed")
    assert ours["n"].to_list() == slopes["sample_size"].to_list()
    assert ours["factor_per_year"].to_list() == pytest.approx(slopes["price_reduction_factor_per_year"].to_list(), rel=1e-5)


def test_published_slopes_follow_from_their_points() -> None:
    """Each of Epoch's 21 slopes, within what a year of 365 days instead of 365.25 does to it."""
    printed = dict(TREND_FIGURES.select("trend", "factor_per_year").iter_rows())
    slopes = [refit(part) for _, part in TREND_POINTS.group_by("trend")]
    assert len(slopes) == 21
    for slope in slopes:
        assert slope["refit_per_year"] == pytest.approx(printed[slope["trend"]], rel=0.006)


def test_280_times_in_18_months_is_19_times_a_year_by_its_own_dates() -> None:
    stanford = by_text_and_dates(TREND_FIGURES).row(by_predicate=pl.col("trend") == "stanford_280", named=True)
    assert stanford["by_text_per_year"] == pytest.approx(42.8, abs=0.05)
    assert stanford["by_dates_per_year"] == pytest.approx(18.9, abs=0.05)
    assert stanford["dated_months"] == pytest.approx(23.0, abs=0.01)
    assert stanford["fall_of_prices"] == pytest.approx(20 / 0.07)
    assert stanford["by_dates_low"] < stanford["by_dates_per_year"] < stanford["by_dates_high"] < 42.8


# --- indices


def prices(*rows: tuple[date, str, float], first_party: bool = True) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "as_of": day,
                "model": model,
                "provider": "own",
                "first_party": first_party,
                "input_usd_per_mtok": usd,
                "output_usd_per_mtok": usd,
            }
            for day, model, usd in rows
        ],
        schema=polars_schema(MonthlyPrice),
    )


JAN, FEB, MAR, APR = date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 31), date(2025, 4, 30)


def quality_index(sold: pl.DataFrame, scores: dict[str, float], released: dict[str, date], on: date = APR) -> pl.DataFrame:
    rated = pl.DataFrame(
        [{"model": model, "scale": "eci", "score": score, "as_of": on} for model, score in scores.items()],
        schema=polars_schema(Capability),
    )
    models = pl.DataFrame(
        [{"model": model, "release_date": released.get(model, JAN)} for model in scores], schema=polars_schema(Model)
    )
    thresholds = pl.DataFrame([{"scale": "eci", "threshold": scores["first"], "model": "first"}])
    return next(iter(fixed_quality(sold, rated, models, thresholds)))


def test_new_model_sets_the_price_of_a_quality_and_a_withdrawn_one_gives_it_back() -> None:
    sold = prices((JAN, "first", 8), (FEB, "first", 8), (FEB, "new", 2), (FEB, "weak", 1), (MAR, "first", 6))
    index = quality_index(sold, {"first": 120, "new": 121, "weak": 90}, {"new": FEB})
    assert index.select("value", "set_by", "n", "n_entered", "n_left").rows() == [
        (8.0, "first", 1, 0, 0),
        (2.0, "new", 2, 1, 0),
        (6.0, "first", 1, 0, 1),
    ]


def test_model_that_entered_our_records_late_sets_no_price() -> None:
    sold = prices((JAN, "first", 8), (FEB, "first", 8), (FEB, "old", 1))
    late = quality_index(sold, {"first": 120, "old": 121}, {"old": date(2024, 3, 1)})
    assert late["value"].to_list() == [8.0, 8.0]
    in_time = quality_index(sold, {"first": 120, "old": 121}, {"old": date(2025, 2, 1)})
    assert in_time["value"].to_list() == [8.0, 1.0]


def test_index_of_a_quality_ends_where_its_scale_was_last_read() -> None:
    sold = prices((JAN, "first", 8), (FEB, "first", 8), (MAR, "first", 8))
    assert quality_index(sold, {"first": 120}, {}, on=date(2025, 2, 3))["as_of"].to_list() == [JAN, FEB]


def test_matched_index_follows_the_same_model_only() -> None:
    sold = prices((JAN, "a", 8), (FEB, "a", 4), (FEB, "cheap", 0.1), (MAR, "a", 4), (MAR, "cheap", 0.05))
    index = matched(sold, "matched_model", 1.0)
    assert index["value"].to_list() == pytest.approx([1.0, 0.5, 0.5 * 0.5**0.5])
    assert index["n_matched"].to_list() == [0, 1, 2]


def test_task_index_keeps_the_cheapest_run_so_far() -> None:
    runs = pl.DataFrame(
        [
            {
                "benchmark": "b",
                "configuration": name,
                "as_of": day,
                "n": 100,
                "accuracy": share,
                "total_cost_usd": usd,
                "superseded": False,
            }
            for name, day, share, usd in [
                ("dear", date(2025, 1, 5), 0.6, 50.0),
                ("cheap", date(2025, 2, 5), 0.6, 5.0),
                ("worse", date(2025, 2, 6), 0.3, 1.0),
                ("dearer", date(2025, 3, 1), 0.7, 9.0),
            ]
        ],
        schema=polars_schema(MeasuredRun),
    )
    of_share = {part["threshold"][0]: part for part in usd_per_task(runs) if not part.is_empty()}
    assert of_share[60.0].select("value", "set_by", "n").rows() == [
        (0.5, "dear", 1),
        (0.05, "cheap", 2),
        (0.05, "cheap", 3),
    ]
    assert of_share[70.0]["value"].to_list() == [0.09]


def test_price_that_holds_for_a_year_is_one_point_and_its_last_day_another() -> None:
    values = pl.Series([8.0, 8.0, 2.0, *[1.0] * 12]).to_numpy()
    slope = levels_slope(pl.int_range(0, 15, eager=True).to_numpy() / 12, values)
    assert slope.n == 4


def rents(*rows: tuple[str, str, float, date, date | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "source": "s",
                "provider": seller,
                "instance_type": offer,
                "source_gpu": "H100",
                "gpu": "h100-sxm",
                "gpu_count": 1,
                "term": "on_demand",
                "statistic": "price",
                "usd_per_gpu_hour": usd,
                "valid_from": begins,
                "valid_to": ends,
            }
            for seller, offer, usd, begins, ends in rows
        ],
        schema=polars_schema(GpuRent),
    )


def test_rent_index_compares_an_offer_with_itself_and_counts_sellers_once() -> None:
    """Seller a halves both of its offers, b stays, c is new and dear: sqrt(1/2), while the median level stays."""
    index = rent_index(
        rents(
            ("a", "x1", 4.0, JAN, FEB),
            ("a", "x8", 2.0, JAN, FEB),
            ("a", "x1", 2.0, FEB, None),
            ("a", "x8", 1.0, FEB, None),
            ("b", "y", 3.0, JAN, None),
            ("c", "z", 9.0, FEB, None),
        )
    )
    columns = ["value", "usd_per_gpu_hour", "n_offers", "n_sellers", "n_matched", "n_matched_sellers"]
    first, second = under(GpuRentIndex, index).select(columns).rows()
    assert first == (1.0, 3.0, 3, 2, 0, 0)
    assert second == pytest.approx((0.5**0.5, 3.0, 4, 3, 3, 2))


def test_rents_of_other_sellers_begin_a_new_chain() -> None:
    index = rent_index(rents(("a", "x", 4.0, JAN, date(2025, 2, 1)), ("b", "y", 2.0, FEB, None)))
    assert index.select("chain", "value", "usd_per_gpu_hour").rows() == [(1, 1.0, 4.0), (2, 1.0, 2.0)]


# --- factors


def slope(**changes: Any) -> Row:
    row: Row = {
        "series": "eci 1 m 1:1",
        "kind": "fixed_quality",
        "scale": "eci",
        "threshold": 1.0,
        "model": "gpt-4",
        "input_per_output": 1.0,
        "unit": "usd_per_mtok",
        "first_on": date(2024, 1, 1),
        "last_on": date(2026, 1, 1),
        "first_value": 100.0,
        "last_value": 1.0,
        "fall": 100.0,
        "method": "line_through_changes",
        "n": 5,
        "factor_per_year": 10.0,
        "factor_per_year_low": 5.0,
        "factor_per_year_high": 20.0,
        "r_squared": 0.9,
    }
    return row | changes


def slopes(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=polars_schema(PriceSlope))


HOSTS = slope(series="h", kind="matched_host", factor_per_year=2.0, factor_per_year_low=1.0, factor_per_year_high=4.0)
HARDWARE = Factor(1.25, 1.0, 2.0, 6, "rents")


def test_factors_multiply_to_the_total() -> None:
    rows = {row["factor"]: row for row in factors(slope(), matched_factor(slopes(HOSTS)), HARDWARE)}
    value = {name: row["value"] for name, row in rows.items()}
    assert value["model"] * value["stack"] == pytest.approx(value["total"]) == pytest.approx(100.0)
    assert value["hardware"] * value["unidentified"] == pytest.approx(value["stack"])
    assert value["stack"] == pytest.approx(4.0, rel=1e-2)
    assert rows["model"]["low"] < value["model"] < rows["model"]["high"]


@pytest.mark.parametrize(
    ("same_model", "hardware", "unknown"),
    [
        (None, HARDWARE, {"model", "stack", "unidentified"}),
        (Factor(2.0, 1.0, 4.0, 30, "hosts"), None, {"hardware", "unidentified"}),
        (None, None, {"model", "stack", "hardware", "unidentified"}),
    ],
)
def test_factor_without_its_own_evidence_has_no_value(
    same_model: Factor | None, hardware: Factor | None, unknown: set[str]
) -> None:
    rows = pl.DataFrame(list(factors(slope(), same_model, hardware)), infer_schema_length=None)
    assert set(rows.filter(evidence_status="unidentified")["factor"]) == unknown
    assert set(rows.filter(pl.col("value").is_null())["factor"]) == unknown
    dated = rows.with_columns(series=pl.lit("s"), first_on=pl.lit(JAN), last_on=pl.lit(APR))
    PriceCompression.validate(under(PriceCompression, dated))


def test_hosts_without_an_interval_identify_nothing() -> None:
    assert matched_factor(slopes(slope())) is None
    assert matched_factor(slopes(HOSTS | {"factor_per_year_low": None, "factor_per_year_high": None})) is None


def surface(cost_per_hour: dict[str, float | None]) -> pl.LazyFrame:
    rows = [
        {
            "setting": "measured",
            "gpu": gpu,
            "model": "m",
            "input_per_output": 1.0,
            "arrival_rate_per_s": 1.0,
            "kv_bytes_per_s_per_gpu": 1.0,
            "tpot_s": 0.05,
            "ttft_s": 1.0,
            "chunked_usd_per_mtok": cost and 2.0 * cost,
            "gpu_usd_per_hour": 2.0,
        }
        for gpu, cost in cost_per_hour.items()
    ]
    return pl.LazyFrame(rows, schema=polars_schema(BreakEvenSurface))


def test_hardware_factor_is_the_cheapest_gpu_of_each_day() -> None:
    """At $4 an hour and 1 hour per M tokens, then a GPU of $5 that needs .2 hours: four times cheaper in two years."""
    listed = pl.concat(
        [
            rents(("a", "x", 4.0, date(2024, 1, 1), None)),
            rents(("a", "y", 5.0, date(2025, 6, 1), None)).with_columns(gpu=pl.lit("b200-sxm")),
        ]
    )
    factor = hardware_factor(surface({"h100-sxm": 1.0, "b200-sxm": 0.2}), listed, date(2026, 1, 1))
    assert factor is not None
    assert factor.per_year == pytest.approx(2.0, rel=1e-3)
    assert "not the same" in factor.evidence
    assert hardware_factor(surface({"h100-sxm": 1.0}), listed, date(2025, 1, 1)) is None
    assert hardware_factor(surface({"h100-sxm": None, "b200-sxm": 0.2}), listed, date(2026, 1, 1)) is None


def test_document_that_splits_the_280_leaves_93_to_the_stack() -> None:
    rows = {row["factor"]: row for row in published_split(TREND_FIGURES, HARDWARE)}
    assert rows["stack"]["value"] == pytest.approx(93.3, abs=0.05)
    assert rows["model"]["evidence_status"] == "stated"
    assert rows["unidentified"]["value"] == pytest.approx(93.33 / 1.25 ** (700 / 365.25), rel=1e-3)


def test_published_slope_stands_beside_ours_of_the_same_quality_else_of_the_headline() -> None:
    same = slope(series="mmlu 86 gpt-4 3:1", scale="mmlu", threshold=86.0, input_per_output=3.0, factor_per_year=14.0)
    beside = with_ours(TREND_FIGURES, slopes(slope(), same))
    rows = {row["trend"]: row for row in beside.iter_rows(named=True)}
    assert (rows["epoch_mmlu_gpt_4_0314"]["our_basis"], rows["epoch_mmlu_gpt_4_0314"]["our_per_year"]) == (
        "same_quality",
        14.0,
    )
    assert (rows["a16z_headline"]["our_basis"], rows["a16z_headline"]["our_per_year"]) == ("headline", 10.0)
    assert rows["arc_v1_70_80"]["our_series"] is None


# --- facts of the first refresh


def test_price_of_gpt_4_fell_by_orders_of_magnitude_and_the_same_model_hardly(warehouse: Warehouse) -> None:
    quality = one(
        warehouse,
        "SELECT first_value, fall, n, factor_per_year_low FROM marts.price_slope WHERE kind = 'fixed_quality' "
        "AND scale = 'eci' AND model = 'gpt-4' AND input_per_output = 1",
    )
    assert quality[0] == 45.0  # $30 in, $60 out
    assert quality[1] > 100
    assert quality[2] <= 10
    assert quality[3] > 1.0
    same = one(warehouse, "SELECT factor_per_year_high FROM marts.price_slope WHERE series = 'matched_model 1:1'")
    assert same[0] < 2.0


def test_slopes_on_four_points_do_not_show_a_fall(warehouse: Warehouse) -> None:
    four = warehouse.execute("SELECT trend, refit_shows_a_fall FROM marts.published_price_trend WHERE refit_n = 4").fetchall()
    assert len(four) == 4
    assert sum(not shows for _, shows in four) == 3


def test_tokens_and_tasks_are_separate_indices(warehouse: Warehouse) -> None:
    units = dict(warehouse.execute("SELECT DISTINCT kind, unit FROM marts.price_index").fetchall())
    assert units == {
        "fixed_quality": "usd_per_mtok",
        "usd_per_task": "usd_per_task",
        "matched_model": "ratio",
        "matched_host": "ratio",
    }


def test_fall_is_never_split_by_hand(warehouse: Warehouse) -> None:
    valued = warehouse.execute(
        "SELECT DISTINCT factor FROM marts.price_compression "
        "WHERE factor IN ('quantisation', 'runtime', 'decoding') AND value IS NOT NULL"
    ).fetchall()
    assert valued == []
    for total, product in warehouse.execute(
        "SELECT any_value(value) FILTER (factor = 'total'), "
        "product(value) FILTER (factor IN ('model', 'hardware', 'unidentified')) FROM marts.price_compression GROUP BY series"
    ).fetchall():
        assert product == pytest.approx(total)


def test_slope_of_a_chain_is_the_fall_between_its_ends(warehouse: Warehouse) -> None:
    index = warehouse.sql("SELECT * FROM marts.price_index WHERE series = 'matched_host 1:1' ORDER BY as_of").pl()
    row = slope_of(index)
    years = (row["last_on"] - row["first_on"]).days / 365.25
    assert row["factor_per_year"] ** years == pytest.approx(row["fall"])

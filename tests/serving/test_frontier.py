"""The serving frontier: frames, rents and rates as draws, predictions beside evidence, and its history."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from assets.evidence.published import common_frame
from assets.serving.frontier import (
    appended,
    drawn_costs,
    length_class,
    of_documents,
    of_runs,
    priced,
    questions_of,
    with_frontier,
)
from assets.serving.frontier_headline import with_headline
from assets.serving.measured_surface import measured
from assets.serving.predictions import STANDARD, predictions
from schemas.base import empty, polars_schema
from schemas.serving.frontier import ServingFrontier, ServingFrontierHistory
from schemas.serving.surface import GpuPrice
from sources.serving.benchmark_outputs import BenchmarkFile, ingest
from tests.evidence.test_published_figures import CITED
from tests.evidence.test_published_frame import rent, rents
from tests.refreshed import ROOT
from tests.serving.benchmark_files import SAMPLES, inferencex_row, mlperf_result, vllm_run

DAY, NOW = date(2026, 11, 23), datetime(2026, 11, 23, 12, tzinfo=UTC)
RENTS = rents(rent("a100-80gb-sxm", 1.5), rent("h100-sxm", 2.5), rent("h200-sxm", 3.0), rent("b200-sxm", 5.0))
POINTS = common_frame(CITED, RENTS, DAY)
INFERENCEX = SAMPLES / "inferencex" / "api_fixture_benchmarks.json"


def price(
    gpu: str, usd: float, *, low: float | None = None, high: float | None = None, term: str = "on_demand"
) -> dict[str, Any]:
    return {
        "gpu": gpu,
        "usd_per_gpu_hour": usd,
        "low_usd_per_gpu_hour": low or usd,
        "high_usd_per_gpu_hour": high or usd,
        "term": term,
        "valid_from": DAY,
        "sellers": 1,
        "sources": "seed",
        "as_of": DAY,
    }


def prices(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=polars_schema(GpuPrice))


PRICES = prices(price("a100-80gb-sxm", 1.5), price("h100-sxm", 2.5), price("h200-sxm", 3.0), price("b200-sxm", 5.0))


def point(name: str, hours: float, ttft_s: float, tpot_s: float, **more: Any) -> dict[str, Any]:
    """A measured point at a dollar an hour, so that its cost is its GPU-hours."""
    spread = more.pop("spread", 1.0)
    return {
        "point": name,
        "basis": "measured",
        "source": "vllm",
        "system": "vllm",
        "model": "m",
        "gpu": "g",
        "gpus": 8,
        "workload": "1024 in, 181 out",
        "percentile": 99.0,
        "tpot_definition": "after_first_token",
        "arrival": "closed_loop",
        "ttft_s": ttft_s,
        "tpot_s": tpot_s,
        "latency_basis": "measured",
        "attainment": 0.98,
        "gpu_hours_per_mtok": hours,
        "low_gpu_hours_per_mtok": hours / spread,
        "high_gpu_hours_per_mtok": hours * spread,
        "stated_usd_per_hour": None,
        "input_tokens": 1000.0,
        "output_tokens": 200.0,
    } | more


def placed(*rows: dict[str, Any], rents_of: pl.DataFrame | None = None) -> dict[str, dict[str, Any]]:
    points = pl.DataFrame(list(rows), schema_overrides={"stated_usd_per_hour": pl.Float64, "arrival": pl.String})
    given = prices(price("g", 1.0), price("s", 1.0, term="stated")) if rents_of is None else rents_of
    return {row["point"]: row for row in with_frontier(priced(points, given)).iter_rows(named=True)}


def test_a_point_is_beaten_only_where_another_is_no_worse_in_all_three() -> None:
    found = placed(
        point("cheap", 1.0, 2.0, 0.05),
        point("fast", 2.0, 0.5, 0.02),
        point("beaten", 2.1, 0.5, 0.02),
        point("even", 1.0, 2.0, 0.05),
    )
    assert {name: row["on_frontier"] for name, row in found.items()} == {
        "cheap": True,
        "fast": True,
        "beaten": False,
        "even": True,
    }
    assert found["cheap"]["frontier_probability"] == 1.0
    assert found["beaten"]["frontier_probability"] == 0.0


@pytest.mark.parametrize(
    "change",
    [
        {"model": "n"},
        {"workload": "8192 in, 181 out"},
        {"percentile": 90.0},
        {"tpot_definition": "pooled_gaps"},
        {"tpot_definition": None},
        {"arrival": "open_loop"},
        {"arrival": None},
        {"gpu": "s"},
    ],
)
def test_nothing_is_beaten_across_frames(change: dict[str, Any]) -> None:
    found = placed(point("best", 1.0, 0.1, 0.01), point("worst", 9.0, 9.0, 0.9, **change))
    assert found["worst"]["on_frontier"]
    assert found["worst"]["points_in_frame"] == 1


def test_a_prediction_can_beat_a_measurement_but_not_on_the_frontier_of_evidence() -> None:
    found = placed(point("run", 2.0, 1.0, 0.05), point("model", 1.0, 1.0, 0.05, basis="predicted"))
    assert not found["run"]["on_frontier"]
    assert found["run"]["on_evidence_frontier"]
    assert found["run"]["evidence_frontier_probability"] == 1.0
    assert found["model"]["on_evidence_frontier"] is None


def test_the_rent_of_a_gpu_is_one_draw_and_the_rate_each_points_own() -> None:
    wide = prices(price("g", 1.0, low=0.5, high=2.0))
    same_gpu = placed(point("a", 1.0, 1.0, 0.05), point("b", 1.01, 1.0, 0.05), rents_of=wide)
    assert same_gpu["a"]["frontier_probability"] == 1.0  # whatever the rent, both pay it
    unsure = placed(point("a", 1.0, 1.0, 0.05, spread=1.5), point("b", 1.01, 1.0, 0.05, spread=1.5), rents_of=wide)
    assert 0.4 < unsure["b"]["frontier_probability"] < 0.6
    two = prices(price("g", 1.0, low=0.5, high=2.0), price("h", 1.0, low=0.5, high=2.0))
    other_gpu = placed(point("a", 1.0, 1.0, 0.05), point("b", 1.01, 1.0, 0.05, gpu="h"), rents_of=two)
    assert 0.4 < other_gpu["b"]["frontier_probability"] < 0.6


def test_draws_are_seeded_and_hold_the_range_between_them() -> None:
    rows = pl.DataFrame([point("a", 1.0, 1.0, 0.05, spread=2.0)], schema_overrides={"stated_usd_per_hour": pl.Float64})
    costs = drawn_costs(priced(rows, prices(price("g", 3.0))))
    assert np.array_equal(costs, drawn_costs(priced(rows, prices(price("g", 3.0)))))
    assert np.median(costs) == pytest.approx(3.0, rel=0.1)
    assert np.quantile(costs, [0.05, 0.95]) == pytest.approx([1.5, 6.0], rel=0.15)


def test_a_published_goodput_is_gpu_hours_at_its_contract() -> None:
    found = of_documents(POINTS, CITED)
    row = found.filter(point="published: distserve | goodput_chatbot_13b_vllm").row(0, named=True)
    hours = 1e6 / 3600 / (0.5 * 200.3 * 0.9)
    assert row["gpu_hours_per_mtok"] == pytest.approx(hours)
    assert row["low_gpu_hours_per_mtok"] == pytest.approx(hours * 0.9 / 0.94477, rel=1e-4)  # Wilson, 90 of 100
    assert (row["ttft_s"], row["tpot_s"], row["percentile"], row["arrival"]) == (0.25, 0.1, 90.0, "open_loop")
    assert (row["workload"], row["input_tokens"], row["latency_basis"]) == ("sharegpt (distserve)", 755.5, "bound")


def test_two_contracts_of_one_data_set_share_a_frame() -> None:
    found = priced(of_documents(POINTS, CITED).with_columns(stated_usd_per_hour=pl.lit(None, pl.Float64)), PRICES)
    both = found.filter(pl.col("model") == "llama-2-70b", pl.col("gpu") == "h200-sxm")
    assert both["frame"].n_unique() == 1
    assert sorted(both["ttft_s"]) == [0.45, 2.0]


def runs_of(*bodies: bytes) -> pl.DataFrame:
    return ingest(BenchmarkFile(f"{at}.json", body) for at, body in enumerate(bodies)).accepted


def test_runs_stand_at_their_own_p99_in_frames_of_their_lengths() -> None:
    found = of_runs(runs_of(json.dumps([inferencex_row(clients=16), inferencex_row(clients=32)]).encode()))
    assert found["workload"].unique().to_list() == ["1024 in, 1024 out"]
    assert set(found["model"]) == {"deepseek-r1-0528"}
    row = found.row(0, named=True)
    tokens_per_s_per_gpu = 1024 * 16 / (0.5 + 1023 * 0.05) / 8
    assert row["gpu_hours_per_mtok"] == pytest.approx(1e6 / 3600 / tokens_per_s_per_gpu / 0.98)
    assert (row["ttft_s"], row["tpot_s"]) == (pytest.approx(0.65), pytest.approx(0.065))
    assert (row["arrival"], row["latency_basis"]) == ("closed_loop", "measured")


def test_the_number_of_requests_says_how_sure_a_run_is() -> None:
    """The p99 of 160 requests is met by 95.9 to 99.8 % of all: at least 91.9 and 99.5 % meet both bounds."""
    runs = runs_of(json.dumps([inferencex_row(clients=16)]).encode())
    row = of_runs(runs.with_columns(n_requests=pl.lit(160))).row(0, named=True)
    assert row["range_basis"] == "requests"
    assert row["low_gpu_hours_per_mtok"] / row["gpu_hours_per_mtok"] == pytest.approx(0.98 / 0.9951, abs=1e-3)
    assert row["high_gpu_hours_per_mtok"] / row["gpu_hours_per_mtok"] == pytest.approx(0.98 / 0.9189, abs=1e-3)
    more = of_runs(runs.with_columns(n_requests=pl.lit(16_000))).row(0, named=True)
    assert more["high_gpu_hours_per_mtok"] < row["high_gpu_hours_per_mtok"]


@pytest.mark.parametrize("requests", [None, 0, 3])
def test_a_run_of_no_stated_or_too_few_requests_has_no_range(requests: int | None) -> None:
    runs = runs_of(json.dumps([inferencex_row(clients=16)]).encode())
    row = of_runs(runs.with_columns(n_requests=pl.lit(requests, pl.Int64))).row(0, named=True)
    assert (row["range_basis"], row["low_gpu_hours_per_mtok"], row["high_gpu_hours_per_mtok"]) == ("none", None, None)


def test_runs_of_one_configuration_widen_each_others_range() -> None:
    runs = runs_of(json.dumps([inferencex_row(clients=16)]).encode()).with_columns(n_requests=pl.lit(16_000))
    rate = pl.col("output_tokens_per_s_per_gpu")
    again = runs.with_columns(rate * 0.8, run_id=pl.lit("again"))
    other = runs.with_columns(rate * 0.1, run_id=pl.lit("other"), concurrency=pl.lit(64.0))
    found = of_runs(pl.concat([runs, again, other]))
    assert found["range_basis"].to_list() == ["requests_and_repeats", "requests_and_repeats", "requests"]
    first, second, _ = found.iter_rows(named=True)
    assert first["high_gpu_hours_per_mtok"] == pytest.approx(second["high_gpu_hours_per_mtok"])
    assert first["high_gpu_hours_per_mtok"] > second["gpu_hours_per_mtok"] > first["gpu_hours_per_mtok"]


def test_an_audited_run_stands_at_its_bounds_in_the_frame_of_the_published_medians() -> None:
    row = of_runs(runs_of(json.dumps([mlperf_result()]).encode())).row(0, named=True)
    assert (row["workload"], row["model"]) == ("llama2-70b-99 (mlperf)", "llama-2-70b")
    assert (row["ttft_s"], row["tpot_s"], row["latency_basis"]) == (0.45, 0.04, "bound")
    published = of_documents(POINTS, CITED).filter(pl.col("workload") == row["workload"])
    for name in ("model", "percentile", "tpot_definition", "arrival"):
        assert published[name].unique().to_list() == [row[name]]


def test_a_run_without_lengths_or_price_beats_nobody() -> None:
    silent = [pl.lit(None, pl.Float64).alias(f"input_tokens_{name}") for name in ("mean", "nominal")]
    runs = of_runs(runs_of(vllm_run()).with_columns(*silent, output_tokens_per_s_per_gpu=100.0))
    assert runs["workload"].item().startswith("not stated")
    assert priced(runs, PRICES).is_empty()  # vLLM does not say on which GPUs it ran


def test_the_closed_forms_are_asked_of_open_arrivals_with_known_lengths_alone() -> None:
    closed, opened = runs_of(vllm_run()), runs_of(vllm_run(request_rate=2.0, max_concurrency=None))
    runs = of_runs(
        pl.concat([closed, opened]).with_columns(usd_per_gpu_hour=2.0, gpus_total=1, output_tokens_per_s_per_gpu=100.0)
    )
    asked = questions_of(priced(runs, PRICES))
    assert asked.height == 1
    assert asked.select("ttft_s", "tpot_s", "input_tokens", "output_tokens").row(0) == pytest.approx((1.5, 0.06, 1000.0, 200.0))


@pytest.fixture(scope="module")
def fit(refreshed: Path) -> dict[str, Any]:
    """What predictions read besides questions and prices, of a refreshed warehouse."""
    names = ("core.gpu", "core.model_shape", "core.model_layer", "marts.engine_run", "marts.prediction_interval")
    with duckdb.connect(str((refreshed / "releases" / "latest.duckdb").resolve()), read_only=True) as connection:
        gpu, shape, layer, runs, intervals = (
            connection.sql(f"FROM {name}").pl().with_columns(pl.selectors.categorical().cast(pl.String)) for name in names
        )
    return {
        "gpus": gpu.filter(pl.col("gpu").is_in(["a100-80gb-sxm", "h100-sxm", "b200-sxm"])),
        "shapes": shape,
        "known": measured(model_shape=shape, model_layer=layer, gpu=gpu, engine_run=runs),
        "runs": runs,
        "intervals": intervals,
    }


def predicted(questions: pl.DataFrame, fit: dict[str, Any], **other: Any) -> pl.DataFrame:
    return predictions(questions, prices=PRICES, **fit | other)


LLAMA = STANDARD.filter(pl.col("model") == "llama-3.1-8b")


def test_predictions_meet_every_contract_they_are_asked_and_cost_more_where_it_is_tighter(fit: dict[str, Any]) -> None:
    found = predicted(LLAMA, fit)
    assert set(found["design"]) == {"unchunked", "chunked", "disaggregated"}
    assert (found["low_gpu_hours_per_mtok"] < found["gpu_hours_per_mtok"]).all()
    assert (found["gpu_hours_per_mtok"] < found["high_gpu_hours_per_mtok"]).all()
    one = found.filter(pl.col("gpu") == "h100-sxm", pl.col("design") == "chunked", pl.col("ttft_s") == 5.0).sort("tpot_s")
    assert one["gpu_hours_per_mtok"].is_sorted(descending=True)
    assert set(one["system"]) == {"vllm"}
    assert set(one["calibration"]) == {"group"}


def test_no_shape_or_definition_no_prediction(fit: dict[str, Any]) -> None:
    assert predicted(LLAMA.with_columns(model=pl.lit("unheard-of")), fit).is_empty()
    assert predicted(LLAMA.with_columns(tpot_definition=pl.lit("over_all_tokens")), fit).is_empty()


def test_a_group_that_was_not_measured_has_the_wider_interval_of_its_family_and_without_one_there_is_no_point(
    fit: dict[str, Any],
) -> None:
    width = pl.col("high_gpu_hours_per_mtok") / pl.col("low_gpu_hours_per_mtok")
    group, family = (predicted(LLAMA, fit, runs=runs).filter(gpu="h100-sxm") for runs in (fit["runs"], fit["runs"].clear()))
    assert set(family["calibration"]) == {"family"}
    assert family.select(width.min()).item() > group.select(width.max()).item()
    assert predicted(LLAMA, fit, intervals=fit["intervals"].clear()).is_empty()


def test_bounds_on_means_of_requests_let_stalls_average_out(fit: dict[str, Any]) -> None:
    """Unchunked colocation is the only design whose intervals between tokens differ."""
    means = LLAMA.with_columns(tpot_definition=pl.lit("after_first_token"))
    key = ["gpu", "design", "ttft_s", "tpot_s"]
    both = predicted(LLAMA, fit).join(predicted(means, fit), on=key, suffix="_of_means")
    same = pl.col("gpu_hours_per_mtok") == pl.col("gpu_hours_per_mtok_of_means")
    assert both.filter(pl.col("design") != "unchunked").select(same.all()).item()
    assert not both.filter(pl.col("design") == "unchunked").select(same.all()).item()


def test_a_prediction_is_the_cell_of_the_surface(warehouse: duckdb.DuckDBPyConnection, fit: dict[str, Any]) -> None:
    """At the running length of the surface, 4,096 tokens: 592 more than half of the answer asked for."""
    asked = LLAMA.with_columns(input_tokens=pl.lit(3500.0), output_tokens=pl.lit(1192.0))
    found = predicted(asked, fit).filter(design="chunked", gpu="h100-sxm").select("ttft_s", "tpot_s", "gpu_hours_per_mtok")
    cells = warehouse.sql(
        "SELECT ttft_s, tpot_s, min(chunked_usd_per_mtok / gpu_usd_per_hour) AS hours, input_per_output "
        "FROM marts.break_even_surface WHERE setting = 'measured' AND gpu = 'h100-sxm' AND model = 'llama-3.1-8b' "
        "AND input_per_output IN (2, 4) GROUP BY ALL"
    ).pl()
    around = cells.pivot("input_per_output", index=["ttft_s", "tpot_s"], values="hours").join(found, on=["ttft_s", "tpot_s"])
    assert around.height == 6
    hours = around["gpu_hours_per_mtok"] * 0.99
    assert (hours > around["2.0"]).all()
    assert (hours < around["4.0"]).all()


def test_the_headline_of_a_model_is_one_term_and_gpus_without_it_stand_beside() -> None:
    rows = [
        {"model": "m", "workload": "a", "basis": "measured", "gpu": gpu, "gpu_price_term": term}
        for gpu, term in (("g1", "on_demand"), ("g2", "on_demand"), ("g3", "reserved_1y"), ("g1", "stated"))
    ]
    rows += [{"model": "m", "workload": "b", "basis": "predicted", "gpu": "g1", "gpu_price_term": "on_demand"}] * 9
    constant = {"percentile": 99.0, "tpot_definition": None, "arrival": "open_loop"}
    found = with_headline(pl.DataFrame(rows).with_columns(pl.lit(value).alias(name) for name, value in constant.items()))
    assert found["headline"].to_list()[:4] == ["frame", "frame", "beside", None]
    assert found["headline"].to_list()[4:] == [None] * 9


def test_every_model_has_one_headline_frame(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = warehouse.sql(
        "SELECT model, count(DISTINCT frame) FILTER (headline = 'frame') AS frames FROM marts.serving_frontier GROUP BY ALL"
    ).pl()
    assert set(found["frames"]) == {1}


def frontier(*rows: dict[str, Any], at: datetime = NOW) -> pl.DataFrame:
    points = pl.DataFrame(list(rows), schema_overrides={"stated_usd_per_hour": pl.Float64})
    known = with_frontier(priced(points, prices(price("g", 1.0)))).with_columns(
        as_of=pl.lit(at.date()), refreshed_at=pl.lit(at)
    )
    schema = polars_schema(ServingFrontier)
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in known.columns]
    return known.with_columns(absent).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def test_history_grows_only_by_what_changed() -> None:
    first = frontier(point("a", 1.0, 1.0, 0.05), point("b", 2.0, 0.5, 0.05))
    once = appended(empty(ServingFrontierHistory), first)
    assert once.height == 2
    later = NOW + timedelta(days=1)
    again = appended(once, frontier(point("a", 1.0, 1.0, 0.05), point("b", 2.0, 0.5, 0.05), at=later))
    assert again.equals(once)
    cheaper = appended(again, frontier(point("a", 0.9, 1.0, 0.05), point("b", 2.0, 0.5, 0.05), at=later))
    assert cheaper.filter(refreshed_at=later)["point"].to_list() == ["a"]
    gone = appended(cheaper, frontier(point("a", 0.9, 1.0, 0.05), at=later + timedelta(days=1)))
    last = gone.filter(pl.col("refreshed_at") == later + timedelta(days=1))
    assert last.select("point", "is_present").rows() == [("b", False)]
    assert appended(gone, frontier(point("a", 0.9, 1.0, 0.05), at=later + timedelta(days=2))).equals(gone)
    back = appended(gone, frontier(point("a", 0.9, 1.0, 0.05), point("b", 2.0, 0.5, 0.05), at=later + timedelta(days=2)))
    assert back.filter(point="b")["is_present"].to_list() == [True, False, True]
    ServingFrontierHistory.validate(back, lazy=True)


@pytest.mark.published
@pytest.mark.skipif(not INFERENCEX.exists(), reason="the captured API rows are not at hand")
def test_real_runs_give_the_crossover_they_are_known_for() -> None:
    """H200, DeepSeek-R1 FP8, 8k in and 1k out: loose TTFT bounds are served cheapest by split pools, tight ones are not."""
    runs = of_runs(runs_of(INFERENCEX.read_bytes())).filter(pl.col("workload") == "8192 in, 1024 out")
    assert runs.height > 100
    h200 = priced(runs, PRICES).filter(pl.col("gpu") == "h200-sxm", pl.col("tpot_s") <= 0.1)
    cheapest = {bound: h200.filter(pl.col("ttft_s") <= bound).sort("usd_per_mtok")["design"].first() for bound in (10.0, 30.0)}
    assert cheapest == {10.0: "colocated", 30.0: "disaggregated"}
    found = with_frontier(priced(runs, PRICES))
    assert set(found["arrival"]) == {"closed_loop"}
    assert 0 < found["on_evidence_frontier"].sum() < found.height
    assert (found.filter("on_frontier")["frontier_probability"] > 0.3).all()


def test_the_warehouse_holds_the_frontier_and_its_first_history(warehouse: duckdb.DuckDBPyConnection) -> None:
    def one(sql: str) -> Any:
        row = warehouse.execute(sql).fetchone()
        assert row is not None
        return row[0]

    table = "marts.serving_frontier"
    assert one(f"SELECT count(*) FROM {table} WHERE basis = 'published'") >= 40
    assert one(f"SELECT count(*) FROM {table} WHERE basis = 'predicted'") > 300
    assert one(f"SELECT count(DISTINCT gpu_price_term) FROM {table} GROUP BY frame ORDER BY 1 DESC LIMIT 1") == 1
    assert one("SELECT count(*) FROM marts.serving_frontier_history") == one(f"SELECT count(*) FROM {table}")
    figure = (
        "SELECT f.usd_per_mtok / p.usd_per_mtok_slo_output FROM marts.published_common_frame AS p "
        f"JOIN {table} AS f ON f.point = 'published: ' || p.paper || ' | ' || p.figure "
        "WHERE figure = 'rate_llama2_70b_99_server_h100_sxm'"
    )
    assert one(figure) == pytest.approx(1.0)


def test_lengths_of_one_sweep_are_one_class_and_the_view_has_the_same():
    asked = pl.DataFrame(
        {"input_tokens_nominal": [None, None, 1024.0, None, None], "input_tokens_mean": [920, 930, 950, 200, 0]}
    )
    classes = asked.cast(pl.Float64).select(length_class("input")).to_series().to_list()
    assert classes == [1024, 1024, 1024, 181, None]
    text = (ROOT / "warehouse/views/core.operating_point_frame.sql").read_text()
    assert "(2 ** (round(2 * log2(tokens_in)) / 2))::BIGINT" in text

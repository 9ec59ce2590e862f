"""Runs that others published: as transcribed, one row a run, flagged by rule; what is no evidence enters no fit."""

import csv
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from assets.evidence.published import gpus_of, shapes_of
from assets.serving.calibration_times import times_of_runs
from assets.serving.frontier import of_runs
from assets.serving.measured import usable
from assets.serving.model_shapes import with_stated
from assets.serving.published_runs import points_of, with_system_rates
from assets.serving.run_flags import one_row_a_run, with_flags
from economics.serving.closed_loop import implied_output_tokens, loop_excess
from schemas.base import empty, polars_schema
from schemas.evidence.published import Gpu, ModelShape
from schemas.serving.benchmark_outputs import EVIDENCE, OperatingPoint
from schemas.serving.published_runs import PublishedRun
from sources.document import TRANSCRIBED
from sources.serving.benchmark_outputs import plausibility
from sources.serving.published_runs import SOURCES, parse
from sources.source import Seed, Snapshot
from tests.evidence.test_published_figures import CITED
from tests.serving.test_model_shapes import READ

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "serving" / "measured"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the runs as collected are not at hand")


def read(name: str, body: bytes) -> pl.DataFrame:
    return parse(Snapshot(name, body, "0" * 64, "seed", name, fetched_at=datetime(2026, 11, 30, tzinfo=UTC))).accepted


def seeds() -> list[tuple[str, Path]]:
    return [(source.name, rung.path) for source in SOURCES for rung in source.floor if isinstance(rung, Seed)]


RUNS = pl.concat([read(name, path.read_bytes()) for name, path in seeds()])
POINTS = with_flags(points_of(RUNS))


def run(**cells: object) -> pl.DataFrame:
    given: dict[str, Any] = {
        "row_id": "r 2",
        "run_id": "a",
        "publisher": "p/q",
        "commit": "c",
        "path": "f line 2",
        "basis": "measured",
        "rates_of": "system",
        "model": "deepseek-r1",
        "gpu": "h200",
        "gpus": 8,
        "source": "measured_others",
    }
    return pl.DataFrame([given | cells], schema=polars_schema(PublishedRun))


def point(**cells: object) -> dict[str, Any]:
    return with_flags(points_of(run(**cells))).row(0, named=True)


def test_tables_keep_their_contracts_and_are_thousands() -> None:
    PublishedRun.validate(RUNS, lazy=True)
    OperatingPoint.validate(POINTS, lazy=True)
    assert RUNS.height >= 6_000
    assert POINTS.height >= 5_000
    assert POINTS["run_id"].is_unique().all()


def test_the_transcription_is_small_enough_to_review() -> None:
    assert sum(path.stat().st_size for path in TRANSCRIBED.glob("measured_*")) < 2_000_000


def test_every_accelerator_and_model_that_counts_is_named() -> None:
    told = POINTS.filter(pl.col("basis").is_in(EVIDENCE))
    assert told["gpu_canonical"].is_not_null().mean() > 0.95  # type: ignore[operator]
    assert told["model_canonical"].is_not_null().mean() > 0.9  # type: ignore[operator]
    open_names = set(told.filter(pl.col("gpu_basis") == "usual")["gpu"])
    assert {"h100", "a100"} & open_names, "what a name leaves open is said to be taken for the usual product"
    assert set(told.filter(source="inferencex", gpu="h100")["gpu_basis"]) == {"source"}


def test_rates_of_two_pools_become_those_of_the_system() -> None:
    row = point(
        rates_of="pools",
        disaggregated=True,
        prefill_gpus=4,
        decode_gpus=12,
        gpus=16,
        input_tokens_per_s_per_gpu=8_000.0,
        output_tokens_per_s_per_gpu=1_000.0,
        total_tokens_per_s_per_gpu=(4 * 8_000 + 12 * 1_000) / 16,
        decode_tp=8,
        tp=None,
    )
    assert row["output_tokens_per_s_per_gpu"] == pytest.approx(12 * 1_000 / 16)
    assert row["input_tokens_per_s_per_gpu"] == pytest.approx(4 * 8_000 / 16)
    assert (row["gpus_total"], row["tp"], row["architecture"], row["basis"]) == (16, 8, "disaggregated", "measured")


def test_pools_that_are_stated_together_follow_from_the_rates_and_others_are_doubtful() -> None:
    together = run(
        rates_of="pools",
        disaggregated=True,
        prefill_gpus=16,
        decode_gpus=16,
        input_tokens_per_s_per_gpu=8_000.0,
        output_tokens_per_s_per_gpu=1_000.0,
        total_tokens_per_s_per_gpu=(4 * 8_000 + 12 * 1_000) / 16,
    )
    sized = with_system_rates(together).row(0, named=True)
    assert (sized["prefill_gpus"], sized["decode_gpus"], sized["gpus"], sized["basis"]) == (4, 12, 16, "measured")
    wrong = with_system_rates(together.with_columns(total_tokens_per_s_per_gpu=pl.lit(9_999.0))).row(0, named=True)
    assert (wrong["gpus"], wrong["output_tokens_per_s_per_gpu"], wrong["basis"]) == (None, None, "doubtful")


def test_the_rate_of_one_pool_is_no_rate_of_a_system() -> None:
    row = point(rates_of="decode_pool", disaggregated=True, output_tokens_per_s_per_gpu=5_000.0, basis="doubtful")
    assert (row["output_tokens_per_s_per_gpu"], row["priceable"]) == (None, False)


def test_output_rate_from_the_total_and_the_lengths() -> None:
    row = point(total_tokens_per_s_per_gpu=900.0, input_tokens=1_000.0, output_tokens=500.0)
    assert row["output_tokens_per_s_per_gpu"] == pytest.approx(300.0)
    assert row["output_tokens_per_s"] == pytest.approx(8 * 300.0)
    assert row["output_rate_basis"] == "from_total"
    assert point(output_tokens_per_s_per_gpu=5.0)["output_rate_basis"] == "stated"
    assert point(total_tokens_per_s_per_gpu=900.0)["output_rate_basis"] is None


CLOSED = {"arrivals": "closed", "concurrency": 10.0, "output_tokens": 100.0, "ttft_mean_s": 1.0, "tpot_mean_s": 0.01}


@pytest.mark.parametrize(
    ("rate", "polluted", "limited"),
    [(10 * 100 / 2.0, False, False), (10 * 100 / 2.4, True, False), (10 * 100 / 4.2, True, True)],
)
def test_a_loop_with_empty_places_is_flagged(rate: float, polluted: bool, limited: bool) -> None:
    row = point(**CLOSED, output_tokens_per_s_per_gpu=rate / 8)
    assert row["loop_excess"] == pytest.approx(1_000 / rate / 2.0)
    assert (row["starts_polluted"], row["client_limited"]) == (polluted, limited)


def test_flags_are_unknown_where_a_figure_is() -> None:
    row = point(arrivals="poisson", output_tokens_per_s_per_gpu=10.0)
    assert (row["loop_excess"], row["starts_polluted"], row["client_limited"]) == (None, None, None)


def test_loop_and_answer_by_hand() -> None:
    assert loop_excess(concurrency=4.0, output_tokens=10.0, output_tokens_per_s=20.0, ttft_s=1.0, tpot_s=0.1) == pytest.approx(
        1.0
    )
    assert implied_output_tokens(ttft_s=1.0, tpot_s=0.1, e2e_s=11.0) == pytest.approx(101.0)


def test_answers_of_inferencex_are_nine_tenths_of_nominal() -> None:
    share = POINTS.filter(source="inferencex").select(pl.col("output_tokens_implied") / pl.col("output_tokens_nominal"))
    assert np.nanmedian(share.to_series().to_numpy()) == pytest.approx(0.9, abs=0.01)


def test_one_run_under_two_publishers_is_one_row_that_names_both() -> None:
    facts = {"concurrency": 8.0, "total_tokens_per_s_per_gpu": 100.001, "ttft_p50_s": 0.5, "tpot_p50_s": 0.02}
    header = "publisher,commit,path,date,basis,rates_of,model,gpu,gpus," + ",".join(facts)
    rows = [
        f"a/b,1,x,,measured,system,deepseek-ai/DeepSeek-R1,h200,8,{','.join(map(str, facts.values()))}",
        "c/d,2,y,2026-01-02,measured,system,dsr1,h200,8,8,100.002,0.50001,0.02",
        "c/d,2,z,2026-01-02,measured,system,dsr1,h200,8,8,101,0.50001,0.02",
    ]
    both = points_of(read("measured_x", "\n".join([header, *rows, ""]).encode()))
    assert both.height == 2
    first = both.filter(pl.col("also_in").is_not_null()).row(0, named=True)
    assert (first["source_locator"], first["also_in"]) == ("c/d@2 y", "a/b@1 x")


def test_a_run_of_ones_own_file_stands_before_the_publication_of_it() -> None:
    own = POINTS.filter(source="inferencex").head(1).with_columns(run_id=pl.lit("own-1"), source_locator=pl.lit("mine"))
    joined = one_row_a_run(own, POINTS)
    assert joined.height == POINTS.height
    assert joined.filter(run_id="own-1")["also_in"].item() is not None
    assert one_row_a_run(empty(OperatingPoint), POINTS).height == POINTS.height


def test_replicates_are_counted() -> None:
    twice = pl.concat([run(output_tokens_per_s_per_gpu=1.0), run(run_id="b", row_id="r 3", output_tokens_per_s_per_gpu=1.1)])
    assert with_flags(points_of(twice))["replicates"].to_list() == [2, 2]


@pytest.mark.parametrize("basis", ["assumed", "static_batch", "split_stream", "doubtful"])
def test_what_is_no_evidence_enters_no_fit_and_no_frontier(basis: str) -> None:
    told = POINTS.filter(pl.col("ttft_p99_s").is_not_null(), pl.col("tpot_p99_s").is_not_null()).with_columns(
        basis=pl.lit(basis)
    )
    shapes = pl.DataFrame({"model": told["model_canonical"].drop_nulls().unique()}).with_columns(
        pl.lit(1.0).alias(name) for name in polars_schema(ModelShape) if name != "model"
    )
    assert told.height > 1_000
    assert of_runs(told).is_empty()
    assert times_of_runs(told, shapes).is_empty()
    assert usable(told, gpu=empty(Gpu), model_shape=shapes).is_empty()
    assert basis in set(POINTS["basis"])


def test_mlperf_runs_carry_the_bounds_they_are_audited_against() -> None:
    audited = POINTS.filter(pl.col("slo_ttft_s").is_not_null())
    assert audited.height > 100
    interactive = audited.filter(pl.col("system").str.contains("Interactive"), pl.col("model").str.contains("llama2-70b"))
    assert set(interactive["slo_tpot_s"]) == {0.04}
    assert set(audited["basis"]) == {"peer_reviewed"}


def test_most_rows_are_plausible_and_the_others_say_why_not() -> None:
    split = plausibility.split(points_of(RUNS))
    assert split.rejected.height < 30
    assert split.accepted.height >= 6_000


def collected() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for name in ("points.csv", "published_points.csv"):
        with (DATA / name).open(newline="") as lines:
            rows += csv.DictReader(lines)
    return rows


@pytest.mark.published
@needs_data
def test_fifty_rows_at_random_agree_with_the_collected_ones_and_lead_to_their_place() -> None:
    by_place: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in collected():
        by_place.setdefault((row["commit"], row["path"]), []).append(row)
    shared = [name for name in polars_schema(PublishedRun) if name in collected()[0] and name not in ("run", "speculative")]
    numbers = [name for name in shared if polars_schema(PublishedRun)[name].is_numeric()]
    for place in random.Random(20261130).sample(range(RUNS.height), 50):
        row = RUNS.row(place, named=True)
        candidates = by_place[row["commit"], row["path"]]

        def same(found: dict[str, str], row: dict[str, Any] = row) -> bool:
            return all(
                (found[name] == "") == (row[name] is None) and (row[name] is None or float(found[name]) == row[name])
                for name in numbers
            )

        assert any(same(found) and found["model"] == row["model"] for found in candidates), row["row_id"]
        document, line = row["row_id"].split(" line ")
        body = (TRANSCRIBED / f"{document}.csv").read_text().splitlines()
        assert len(body) >= int(line)


@pytest.mark.published
@needs_data
def test_every_collected_row_is_transcribed() -> None:
    assert RUNS.height == len(collected())


def test_the_frontier_is_led_by_measured_systems_with_names(refreshed: Path) -> None:
    frontier = pl.read_parquet(refreshed / "tables" / "marts" / "serving_frontier.parquet").filter("on_frontier")
    measured = frontier.filter(pl.col("basis").is_in(EVIDENCE))
    assert measured.height > frontier.height / 2
    assert measured["system"].is_not_null().all()
    assert measured.filter(pl.col("measured_on").dt.year().is_in([2025, 2026])).height > 100
    points = pl.read_parquet(refreshed / "tables" / "core" / "operating_point.parquet")
    assert points.height >= 5_000


def test_the_page_states_todays_numbers() -> None:
    page = " ".join((TRANSCRIBED.parents[1] / "docs" / "evidence.md").read_text().split())
    shapes = with_stated(READ, shapes_of(CITED))
    for number, words in (
        (RUNS.height, "runs that others published"),
        (POINTS.height, "of the rows are different runs"),
        (shapes.height, "models, "),
        (gpus_of(CITED).height, "accelerators: dense peaks"),
    ):
        assert f"{number:,} {words}" in page, (number, words)
    assert f"{shapes['hugging_face_id'].is_not_null().sum()} of them by a `config.json`" in page
    assert POINTS.filter(source="inferencex").height / POINTS.height == pytest.approx(0.4, abs=0.05)

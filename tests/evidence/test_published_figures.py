"""The transcribed figures: each has a place and a status, and equals the data it was taken from."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.evidence.published import cited
from schemas.base import empty
from schemas.evidence.published import PublishedFigure
from schemas.quarantine import Rejected
from sources.document import TRANSCRIBED, citation
from sources.evidence.published_figures import SOURCES, parse_figures, recomputations
from sources.source import Snapshot, Source
from warehouse.contract import apply_contract

SERVING = Path(__file__).resolve().parents[3] / "shared" / "data" / "serving"
needs_data = pytest.mark.skipif(not SERVING.exists(), reason="the released data files are not at hand")


AS_OF = datetime(2026, 11, 23, tzinfo=UTC)
DOCUMENTS = [source.name.removeprefix("published_") for source in SOURCES]


def parse(name: str, body: bytes) -> pl.DataFrame:
    return parse_figures(Snapshot(f"published_{name}", body, "0" * 64, "seed", name, fetched_at=AS_OF)).accepted


FIGURES = pl.concat([parse(name, (TRANSCRIBED / f"{name}.csv").read_bytes()) for name in DOCUMENTS])
CITED = cited(FIGURES)


def value(paper: str, figure: str) -> float:
    found: float = FIGURES.filter(paper=paper, figure=figure)["value"].item()
    return found


def test_all_figures_keep_the_contract() -> None:
    PublishedFigure.validate(FIGURES, lazy=True)
    assert FIGURES.height > 900


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_each_document_says_how_many_figures_it_has(source: Source) -> None:
    name = source.name.removeprefix("published_")
    assert f"{FIGURES.filter(paper=name).height} rows" in citation(TRANSCRIBED / f"{name}.csv")["version"]


def test_both_versions_of_a_paper_are_kept() -> None:
    bounds = FIGURES.filter(paper="distserve", metric="ttft_slo_s", model="opt-66b", workload="sharegpt")
    assert dict(zip(bounds["version"], bounds["value"], strict=True)) == {
        "OSDI'24 (arXiv 2401.09670 v3)": 2.5,
        "arXiv 2401.09670 v1-v2": 0.4,
    }


def test_general_knowledge_is_marked_and_shapes_rest_on_none() -> None:
    recalled = FIGURES.filter(status="recalled")
    assert {"a40", "h20-sxm", "h800-sxm"} <= set(recalled.filter(paper="hardware")["gpu"])
    assert recalled.filter(paper="model_shape").is_empty()
    assert recalled.filter(paper="hardware")["locator"].str.contains("general knowledge").all()


def test_every_shape_names_package_or_repository_file_and_field() -> None:
    places = FIGURES.filter(paper="model_shape", version="model configurations")["locator"]
    package, repository = r"^[a-z-]+ \d+\.\d+\.\d+, \S+(, \S+)?: ", r"^\S+/\S+ \(commit [0-9a-f]{12}\), \S+"
    assert places.str.contains(f"{package}|{repository}").all()


def test_parameter_counts_are_those_of_the_shape() -> None:
    rows = FIGURES.filter(paper="model_shape", version="model configurations").pivot("metric", index="model", values="value")
    shape = {row["model"]: row for row in rows.iter_rows(named=True)}
    llama = shape["llama-3.1-70b"]
    attention = llama["hidden"] * llama["head_dim"] * 2 * (llama["query_heads"] + llama["kv_heads"])
    mlp, embeddings = 3 * llama["hidden"] * 28_672, 2 * 128_256 * llama["hidden"]
    norms = (2 * llama["layers"] + 1) * llama["hidden"]
    assert llama["parameters"] == pytest.approx(llama["layers"] * (attention + mlp) + embeddings + norms, rel=5e-4)
    assert shape["mixtral-8x7b"]["active_parameters"] == pytest.approx(12.88e9)
    assert all(row["active_parameters"] <= row["parameters"] for row in shape.values())


HEADER = (TRANSCRIBED / "distserve.csv").read_text().splitlines()[0]


def document(**cells: str) -> bytes:
    given = {"paper": "p", "figure": "f", "version": "v", "locator": "Table 1", "status": "printed", "metric": "m"}
    row: dict[str, str] = {**given, "value": "1", "unit": "s", **cells}
    return f"{HEADER}\n{','.join(row.get(name, '') for name in HEADER.split(','))}\n".encode()


@pytest.mark.parametrize(
    ("printed", "unit", "half"),
    [
        ("226.75", "nodes", 0.005),
        ("73.7e3", "tokens_per_s", 50.0),
        ("608e9", "tokens", 0.5e9),
        ("31e-3", "s", 0.0005),
        ("7", "ratio", 0.5),
        ("80", "layers", 0.0),
    ],
)
def test_rounding_is_half_of_the_last_printed_digit(printed: str, unit: str, half: float) -> None:
    assert parse("p", document(value=printed, unit=unit))["rounding"].item() == pytest.approx(half)


@given(st.floats(0.001, 1e6), st.integers(0, 6))
def test_the_true_value_is_within_the_rounding_of_what_was_printed(true: float, digits: int) -> None:
    row = parse("p", document(value=f"{true:.{digits}f}"))
    assert abs(row["value"].item() - true) <= row["rounding"].item() * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize(
    "cells",
    [
        {"status": "guessed"},
        {"value": ""},
        {"low": "2", "high": "3"},
        {"attainment": "1.2"},
        {"ttft_s": "-1"},
        {"percentile": "990"},
        {"tpot_definition": "whatever"},
        {"locator": ""},
    ],
)
def test_a_row_that_cannot_be_right_is_quarantined(cells: dict[str, str]) -> None:
    good = parse("p", document(figure="good"))
    bad = parse("p", document(**cells)).with_columns(pl.col("locator").fill_null(""))
    kept, refused, faults = apply_contract(PublishedFigure, pl.concat([good, bad]), empty(Rejected))
    assert kept["figure"].to_list() == ["good"]
    assert refused.height >= 1
    assert faults.is_empty()


def test_recomputations_name_figures_that_exist() -> None:
    names = set(FIGURES.select(pl.format("{}.{}", "paper", "figure")).to_series())
    checks = recomputations()
    assert checks["check"].is_unique().all()
    assert set(checks["printed"]) <= names
    assert set(checks["inputs"].explode(empty_as_null=True)) <= names


def rows_of(path: str) -> list[dict[str, Any]]:
    with (SERVING / path).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.published
@needs_data
def test_distserve_goodput_is_that_of_the_recovered_table() -> None:
    apps = {
        "OPT-13B ShareGPT": "chatbot_13b",
        "OPT-66B ShareGPT": "chatbot_66b",
        "OPT-175B ShareGPT": "chatbot_175b",
        "HumanEval": "code_66b",
        "LongBench": "summarisation_66b",
    }
    rows = rows_of("derived/distserve_osdi24_goodput_p90_recovered.csv")
    assert len(rows) == FIGURES.filter(metric="goodput_requests_per_s_per_gpu").height
    for row in rows:
        (app,) = [app for words, app in apps.items() if row["application"].endswith(words)]
        figure = f"goodput_{app}_{row['system'].lower().replace('-', '_')}"
        found = FIGURES.filter(paper="distserve", figure=figure).row(0, named=True)
        published = (
            float(row["goodput_req_s_per_gpu_at_90pct"]),
            int(row["gpus"]),
            float(row["ttft_slo_s"]),
            float(row["tpot_slo_s"]),
        )
        assert (found["value"], found["gpu_count"], found["ttft_s"], found["tpot_s"]) == published


@pytest.mark.published
@needs_data
def test_mooncake_curves_are_those_of_the_vector_figures() -> None:
    rows = rows_of("derived/mooncake_fast25_vector_figures.csv")
    rates = sorted(float(row["z"]) * 1e9 for row in rows if row["z"])
    ours = FIGURES.filter(paper="mooncake_fast25").filter(pl.col("figure").str.starts_with("fig12_rate"))["value"]
    assert ours.sort().to_list() == pytest.approx(rates)
    for row in rows:
        if row["figure"] == "Fig15a":
            assert value("mooncake_fast25", f"fig15_attainment_{row['series'].lower()}") == float(row["y"])


@pytest.mark.published
@needs_data
def test_sarathi_times_are_those_of_the_artifact() -> None:
    for row in rows_of("sarathi/osdi_figure-9_chunking-overhead.csv"):
        ours = value("sarathi_serve", f"chunk_time_{row['prefill_length']}_{row['chunk_size']}")
        assert ours * 1e3 == pytest.approx(float(row["prefill_execution_time"]), abs=0.005)
    for row in rows_of("sarathi/osdi_figure-2_decode.csv"):
        ours = value("sarathi_serve", f"decode_time_{row['batch_num_decode_tokens']}")
        assert ours == pytest.approx(float(row["batch_execution_time"]), abs=5.1e-5)


@pytest.mark.published
@needs_data
def test_mlperf_medians_are_those_of_the_log_summaries() -> None:
    runs = pl.read_csv(next((SERVING / "mlperf").glob("derived*.csv")), infer_schema_length=None)
    asked = {
        "llama2-70b-99 Interactive h200-sxm": ("NVIDIA H200-SXM-141GB", 2554.0125, 5),
        "llama3.1-405b Interactive b200-sxm": ("NVIDIA B200-SXM-180GB", 93.920938, 10),
        "deepseek-r1 Server gb200": ("NVIDIA GB200", 2327.472222, 1),
    }
    for words, (accelerator, median, n) in asked.items():
        model, scenario, gpu = words.split(" ")
        mine = runs.filter(division="closed", valid="VALID", model=model, scenario=scenario, accelerator=accelerator)
        assert mine["tpsg"].to_numpy().size == n
        assert float(np.median(mine["tpsg"].to_numpy())) == pytest.approx(median)
        row = FIGURES.filter(paper="mlperf_v5_1", gpu=gpu, workload=f"{model} {scenario}").filter(
            pl.col("figure").str.starts_with("rate_")
        )
        assert (row["value"].item(), row["n"].item()) == (pytest.approx(median, rel=1e-5), n)
        assert row["ttft_s"].item() == mine["target_ttft_ms"][0] / 1000
        assert row["tpot_s"].item() == mine["target_tpot_ms"][0] / 1000

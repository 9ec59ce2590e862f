"""The transcribed step times: each has a place and a status, and equals the data it was taken from."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from schemas.serving.calibration import LatencyFigure
from sources.document import TRANSCRIBED
from sources.serving.latency_figures import SOURCE, parse
from sources.source import Seed, Snapshot
from warehouse.contract import apply_contract

SERVING = Path(__file__).resolve().parents[3] / "shared" / "data" / "serving"
needs_data = pytest.mark.skipif(not SERVING.exists(), reason="the released data files are not at hand")

(SEED,) = SOURCE.floor
assert isinstance(SEED, Seed)
FIGURES, REJECTED = parse(Snapshot(SOURCE.name, SEED.path.read_bytes(), "0" * 64, "seed", "latency", fetched_at=SEED.as_of))


def test_all_times_keep_the_contract() -> None:
    LatencyFigure.validate(FIGURES, lazy=True)
    assert REJECTED.is_empty()


def test_the_source_file_counts_its_rows() -> None:
    said = yaml.safe_load((TRANSCRIBED / "latency.source.yaml").read_text())
    assert f"{FIGURES.height} rows" in said["version"]
    for count, paper in ((23, "sarathi_serve"), (172, "distserve"), (232, "splitwise")):
        assert FIGURES.filter(paper=paper).height == count
    assert SEED.as_of is not None
    assert said["as_of"] == SEED.as_of.date()


def test_derived_times_say_how_they_were_had() -> None:
    derived = FIGURES.filter(status="derived")
    assert derived.filter(pl.col("basis") == "fitted_curve")["note"].str.contains("ms = ").all()
    assert derived.filter(pl.col("basis") == "median_of_repeats")["n"].is_not_null().all()
    assert FIGURES.filter(status="recalled").is_empty()


def test_a_number_format_that_no_file_states_is_marked_as_assumed() -> None:
    assert set(FIGURES.filter(precision_basis="stated")["paper"]) == {"distserve"}


def test_synthetic_rows_of_a_capped_h100_are_left_out() -> None:
    assert not FIGURES["locator"].str.contains("pcap").any()


@pytest.mark.parametrize(
    ("column", "wrong"),
    [("time_s", -0.1), ("time_s", 4000.0), ("phase", "warm-up"), ("gpu_count", 0), ("status", "guessed")],
)
def test_a_wrong_row_is_refused_and_the_rest_goes_on(column: str, wrong: object) -> None:
    place = pl.int_range(pl.len()) == 3
    spoilt = FIGURES.with_columns(
        pl.when(place).then(pl.lit(wrong)).otherwise(column).cast(FIGURES.schema[column]).alias(column)
    )
    accepted, rejected, faults = apply_contract(LatencyFigure, spoilt, REJECTED)
    assert accepted.height == FIGURES.height - 1
    assert rejected["column_name"].to_list() == [column]
    assert faults.is_empty()


@pytest.mark.published
@needs_data
@pytest.mark.parametrize(("phase", "tokens"), [("prefill", "prompt_tokens"), ("decode", "batch")])
def test_sarathi_batches_are_those_of_the_artifact(phase: str, tokens: str) -> None:
    file = pl.read_csv(SERVING / "sarathi" / f"osdi_figure-2_{phase}.csv").select(
        pl.col("batch_num_tokens").cast(pl.Int64).alias(tokens), truth="batch_execution_time"
    )
    ours = FIGURES.filter(locator=f"figure-2_{phase}.csv").join(file, on=tokens)
    assert ours.height == 8
    assert ours.select(((pl.col("time_s") / pl.col("truth") - 1).abs() < 1e-5).all()).item()


@pytest.mark.published
@needs_data
def test_sarathi_prompts_and_mixed_batch_are_those_of_the_artifact() -> None:
    with (SERVING / "sarathi" / "osdi_figure-9_chunking-overhead.csv").open() as file:
        unchunked = {
            int(row["prefill_length"]): float(row["prefill_execution_time"]) / 1e3
            for row in csv.DictReader(file)
            if row["chunk_size"] == "16384"
        }
    ours = FIGURES.filter(pl.col("locator").str.starts_with("figure-9"))
    assert dict(zip(ours["prompt_tokens"], ours["time_s"], strict=True)) == pytest.approx(unchunked, rel=1e-5)
    with (SERVING / "sarathi" / "osdi_table-2_results.csv").open() as file:
        truth = [float(row["batch_execution_time"]) / 1e3 for row in csv.DictReader(file)]
    table = FIGURES.filter(locator="table-2_results.csv")
    assert table["phase"].to_list() == ["decode", "mixed", "prefill"]
    assert table["time_s"].to_list() == pytest.approx(truth, rel=1e-5)


@pytest.mark.published
@needs_data
@pytest.mark.parametrize("engine", ["distserve", "vllm"])
def test_distserve_times_lie_on_its_fitted_curves(engine: str) -> None:
    curves = json.loads((SERVING / "distserve" / f"profiler-a100-80g.{engine}.json").read_text())
    ours = FIGURES.filter(paper="distserve", engine=engine)
    assert (ours["batch"] < 95).all()  # beyond it another curve holds
    for row in ours.iter_rows(named=True):
        curve = curves[f"facebook/{row['model']}"][str(row["gpu_count"])]
        if row["phase"] == "prefill":
            a, b, c = curve["prefill"]
            ms = a + b * row["prompt_tokens"] + c * row["prompt_tokens"] ** 2
        else:
            a, b, c = curve["decoding_smallbs"]
            ms = a + b * row["batch"] * row["context_tokens"] + c * row["batch"]
        assert row["time_s"] == pytest.approx(ms / 1e3, rel=1e-5)


@pytest.mark.published
@needs_data
def test_distserve_contexts_fit_into_the_memory_it_states() -> None:
    limits = pl.read_csv(SERVING / "distserve" / "max_num_tokens.csv").filter(pl.col("pp") == 1)
    decode = FIGURES.filter(paper="distserve", phase="decode").with_columns(model=pl.lit("facebook/") + pl.col("model"))
    joined = decode.join(limits, left_on=["model", "gpu_count"], right_on=["model", "tp"])
    assert joined.height == decode.height
    assert joined.select((pl.col("batch") * pl.col("context_tokens") <= pl.col("max_num_tokens")).all()).item()


@pytest.mark.published
@needs_data
def test_splitwise_times_are_medians_of_the_repeats() -> None:
    file = pl.read_csv(SERVING / "splitwise" / "perf_model.csv").filter(pl.col("hardware") != "h100-80gb-pcap")
    repeats = file.group_by("model", "hardware", "tensor_parallel", "prompt_size", "batch_size", "token_size").agg(
        pl.len().cast(pl.Int64),
        prefill=pl.col("prompt_time").median() / 1e3,
        decode=pl.col("token_time").median() / 1e3,
    )
    places = repeats.with_columns(
        locator=pl.format(
            "perf_model.csv, {}, {}, tensor parallel {}, prompt {}, batch {}, answer {}",
            "model",
            "hardware",
            "tensor_parallel",
            "prompt_size",
            "batch_size",
            "token_size",
        )
    ).select("locator", "len", "prefill", "decode")
    ours = FIGURES.filter(version="splitwise-sim")
    joined = ours.join(places, on="locator")
    truth = pl.when(pl.col("phase") == "prefill").then("prefill").otherwise("decode")
    assert joined.height == ours.height == 224
    assert joined.select(((pl.col("time_s") / truth - 1).abs() < 1e-5).all(), (pl.col("n") == pl.col("len")).all()).row(0) == (
        True,
        True,
    )


def test_printed_p50_of_splitwise_are_within_a_tenth_of_its_released_repeats() -> None:
    """Two publications of one system: conversation, 1,020 prompt tokens, against the repeats at 1,024."""
    for gpu, printed_s in (("a100-80gb-sxm", 0.155), ("h100-sxm", 0.084)):
        repeats = FIGURES.filter(
            version="splitwise-sim", model="llama-2-70b", gpu=gpu, gpu_count=8, phase="prefill", batch=1, prompt_tokens=1024
        )
        assert repeats["time_s"].item() == pytest.approx(printed_s, rel=0.1)

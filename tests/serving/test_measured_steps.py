"""Step times of one GPU: the shipped files and damaged copies of them, the closed form of parts, and what comes out."""

import csv
import importlib.util
import io
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.serving.calibration import calibrated, with_peaks
from assets.serving.calibration_times import times_of_steps
from assets.serving.measured_steps import foretold
from economics.serving.calibration import Calibration, FittedShare
from economics.serving.scenarios import REFERENCE_ENGINE
from economics.serving.step_parts import compute_bound, parts_s, weights_multiplied_s, weights_read_s
from schemas.base import polars_schema
from schemas.evidence.published import Gpu, ModelShape
from schemas.quarantine import Rejected
from schemas.serving.calibration import ShareOfPeak
from schemas.serving.measured_steps import StepTime
from sources.document import TRANSCRIBED
from sources.serving.measured_steps import SOURCES, recognises, steps_of_file
from sources.serving.user_files import STEPS, stored, take_in
from sources.source import Seed
from tests.serving.test_calibration_mart import a_gpu, a_shape

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "gpu_step_time.py"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
ROWS = {"step_times_h100": 115, "step_times_h200": 139}
BODY = (TRANSCRIBED / "step_times_h100.csv").read_bytes()
HEADER, *LINES = BODY.decode().splitlines()
FEW = "\n".join([HEADER, *LINES[:24]]) + "\n"
NUMBERS = (
    "batch",
    "n",
    "step_time_s",
    "step_time_p10_s",
    "step_time_p90_s",
    "power_w",
    "energy_j",
    "sm_clock_mhz",
    "idle_power_w",
    "relative_error",
    "copy_bytes_per_s",
    "matmul_flop_per_s",
    "gpu_memory_bytes",
)
TIMES = ("step_time_s", "step_time_p10_s", "step_time_p90_s")


def parse(body: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    return steps_of_file(body.encode(), file_name="steps.csv")


def changed(line: int | None, **cells: object) -> str:
    """The first rows of the shipped file, with cells of one line (None: of all) replaced or, if callable, changed."""
    rows = list(csv.DictReader(io.StringIO(FEW)))
    for number, row in enumerate(rows):
        if line in (None, number):
            for name, value in cells.items():
                row[name] = str(
                    value(row[name]) if callable(value) and row[name] else value if not callable(value) else row[name]
                )
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADER.split(","), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


# The shipped files.


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_every_row_of_a_shipped_file_is_believed_and_cited(source) -> None:  # type: ignore[no-untyped-def]
    (seed,) = source.floor
    assert isinstance(seed, Seed)
    steps, refused = steps_of_file(seed.path.read_bytes(), file_name=seed.path.name)
    StepTime.validate(steps, lazy=True)
    assert refused.is_empty()
    assert steps.height == ROWS[source.name]
    assert set(steps["gpu"]) == {source.name.removeprefix("step_times_") + "-sxm"}
    assert set(steps["model_canonical"]) == {"llama-3.1-8b", "llama-2-13b", "qwen3-32b"}
    assert steps["power_w"].is_not_null().all()
    said = yaml.safe_load(seed.path.with_suffix(".source.yaml").read_text())
    assert f"{steps.height} rows" in said["version"]
    assert said["as_of"] == seed.as_of.date() == steps["measured_at"].min().date()


# Damage.


@pytest.mark.parametrize("name", ["times", *(name for name in NUMBERS if name not in (*TIMES, "batch", "n"))])
@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_a_column_in_another_unit_is_not_believed(name: str, factor: float) -> None:
    """Milliseconds for seconds, kilowatts for watts: the file disagrees with itself or with the card, so no row counts."""
    if (name, factor) == ("relative_error", 1e-3):
        pytest.skip("a smaller error contradicts nothing")
    names = TIMES if name == "times" else (name,)
    steps, refused = parse(changed(None, **dict.fromkeys(names, lambda cell: float(cell) * factor)))
    assert steps.is_empty()
    Rejected.validate(refused)
    assert refused.height == 24


@settings(max_examples=60, deadline=None)
@given(
    line=st.integers(0, 23),
    name=st.sampled_from(NUMBERS),
    cell=st.sampled_from(["12.5x", "nan", "inf", "-1", "1e400", "true"]),
)
def test_a_cell_that_is_no_number_costs_its_row_alone(line: int, name: str, cell: str) -> None:
    steps, refused = parse(changed(line, **{name: cell}))
    assert steps.height == 23
    assert refused.select("row_key", "column_name").rows() == [(f"steps.csv: line {line + 2}", name)]


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(len(HEADER) + 1, len(FEW) - 1))
def test_a_file_cut_anywhere_keeps_the_rows_before_the_cut(cut: int) -> None:
    whole, _ = parse(FEW)
    steps, refused = parse(FEW[:cut])
    facts = [name for name in steps.columns if name != "step_id"]
    assert steps.select(facts).equals(whole.select(facts).head(steps.height))
    assert steps.height == FEW[:cut].count("\n") - 1
    assert refused.height == (not FEW[:cut].endswith("\n"))


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"phase": "warm-up"}, "unknown_phase"),
        ({"measured_at": "yesterday"}, "not_a_date"),
        ({"measured_at": "2026-11-26T00:29:39"}, "no_time_zone"),
        ({"context_tokens": "512", "prompt_tokens": "512"}, "not_of_the_phase"),
        ({"context_tokens": "", "prompt_tokens": ""}, "missing"),
        ({"step_time_p10_s": "9"}, "percentiles_fall"),
        ({"relative_error": "0.3"}, "not_correct"),
        ({"energy_j": "9999"}, "energy_does_not_close"),
        ({"step_time_s": "0.0001", "step_time_p10_s": "0.0001", "energy_j": ""}, "faster_than_the_card"),
        ({"copy_bytes_per_s": "5e12"}, "faster_than_memory"),
        ({"batch": "2.5"}, "not_a_count"),
        ({"power_w": "0"}, "not_positive"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_each_rule_names_itself(cells: dict[str, str], rule: str) -> None:
    steps, refused = parse(changed(0, **cells))
    assert (steps.height, refused["rule"].to_list()) == (23, [rule])


def test_a_row_without_nvml_is_believed_without_power() -> None:
    steps, refused = parse(changed(0, power_w="", energy_j="", sm_clock_mhz="", idle_power_w=""))
    assert refused.is_empty()
    assert steps.filter(pl.col("power_w").is_null())["step_time_s"].len() == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"phase,batch\nprefill,1\n", b"\xff\xfe\x00"])
def test_another_file_is_an_error(body: bytes) -> None:
    assert not recognises(body)
    with pytest.raises(ValueError, match="no file of gpu_step_time"):
        steps_of_file(body, file_name="other")


def test_a_users_file_is_taken_in_and_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(changed(3, phase="warm-up"))
    (taken,) = take_in([tmp_path / "mine.csv"], bronze_root=tmp_path / "bronze", said={}, now=NOW)
    assert (taken.format, taken.rows, taken.rows_refused, taken.is_accepted) == ("gpu_step_time", 23, 1, True)
    (snapshot,), damaged = stored(tmp_path / "bronze", STEPS)
    assert (snapshot.uri, damaged) == ("mine.csv", [])


# The closed form.


POSITIVE = st.floats(1e-4, 1.0)


@given(POSITIVE, POSITIVE, POSITIVE, POSITIVE, st.floats(0.0, 0.01))
def test_parts_lie_between_the_slower_resource_and_the_sum(
    read: float, multiplied: float, kv: float, attention: float, overhead: float
) -> None:
    step = parts_s(read_s=read, multiplied_s=multiplied, kv_s=kv, attention_s=attention, overhead_s=overhead)
    assert step >= max(read + kv, multiplied + attention)
    assert step <= overhead + read + multiplied + kv + attention
    assert compute_bound(read_s=read, multiplied_s=multiplied) == (multiplied > read)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_a_value_outside_its_domain_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="weight_bytes"):
        weights_read_s(weight_bytes=wrong, hbm_bytes_per_s=1.0, mbu=0.5)
    with pytest.raises(ValueError, match="new_tokens"):
        weights_multiplied_s(active_parameters=1.0, new_tokens=wrong, flop_per_s=1.0, mfu=0.5)
    with pytest.raises(ValueError, match="multiplied_s"):
        parts_s(read_s=1.0, multiplied_s=wrong, kv_s=0.0, attention_s=0.0, overhead_s=0.0)


# From measured steps to fits and predictions.

GPUS = pl.DataFrame([a_gpu(), a_gpu(gpu="h200-sxm", hbm_bytes=141e9, hbm_bytes_per_s=4.8e12)], schema=polars_schema(Gpu))
SHAPES = pl.DataFrame([a_shape()], schema=polars_schema(ModelShape))


def test_steps_are_calibrated_apart_from_engines() -> None:
    steps, _ = steps_of_file(BODY, file_name="steps.csv")
    rows = calibrated(with_peaks(times_of_steps(steps), GPUS, SHAPES))
    ShareOfPeak.validate(rows, lazy=True)
    assert rows["engine"].unique().to_list() == [REFERENCE_ENGINE]
    pooled = rows.filter(pl.col("gpu_count").is_null()).row(0, named=True)
    assert (pooled["calibration"], pooled["points_basis"], pooled["speculation_basis"]) == (
        "fitted",
        "median_of_repeats",
        "stated",
    )
    assert pooled["left_out"] == "arithmetic takes longer than reading the weights: 2"
    assert pooled["leave_one_out_error"] < 0.03


def test_a_truth_made_of_parts_is_foretold_exactly() -> None:
    steps, _ = steps_of_file(BODY, file_name="steps.csv")
    times = with_peaks(times_of_steps(steps), GPUS, SHAPES)
    truth = Calibration(
        mfu=FittedShare(value=0.6, basis="fitted"),
        mbu=FittedShare(value=0.8, basis="fitted"),
        overhead_s=FittedShare(value=0.001, basis="fitted"),
        reason=None,
    )
    made = times.with_columns(measured_s=foretold(times, truth)["parts_s"])
    again = foretold(made, truth)
    assert again["parts_error"].abs().max() < 1e-12
    assert (again["parts_s"] >= again["step_s"] * (1 - 1e-12)).all()
    assert (again["step_s"] >= again["bound_s"] * (1 - 1e-12)).all()
    small = again.filter(phase="decode", compute_bound=False)
    assert small.select((pl.col("parts_s") - pl.col("bound_s")).abs().max()).item() < 1e-12


def test_other_rows_foretell_a_step(warehouse: duckdb.DuckDBPyConnection) -> None:
    def error(form: str, where: str) -> float:
        (found,) = (
            warehouse.execute(f"SELECT median(abs({form}_error)) FROM marts.step_time_prediction WHERE {where}").fetchone()
            or ()
        )
        return float(found)

    assert error("parts", "phase = 'decode' AND calibrated_on = 'other_points'") < 0.02
    assert error("parts", "phase = 'decode' AND calibrated_on = 'other_gpus'") < 0.05
    assert error("parts", "phase = 'prefill' AND calibrated_on = 'other_gpus'") < 0.06
    large = "phase = 'decode' AND compute_bound AND calibrated_on = 'other_gpus'"
    assert error("parts", large) < 0.05
    assert 0.15 < error("step", large) <= error("bound", large)


def test_an_engine_takes_more_energy_than_its_bare_steps_and_the_gap_closes_with_the_batch(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    """Steps at the measured draw; what is left is the fixed time of the engine, which a larger batch shares."""
    rows = warehouse.execute(
        "SELECT step_error FROM marts.energy_per_token "
        "WHERE gpu = 'h200-sxm' AND model = 'llama-3.1-8b' AND step_error IS NOT NULL ORDER BY batch"
    ).fetchall()
    errors = [error for (error,) in rows]
    assert len(errors) == 4
    assert errors[0] == max(errors)
    assert -0.1 < errors[-1] < errors[0] < 0.25


# The script.


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch, which only the script needs, is not installed")
def test_the_script_measures_on_a_cpu_what_the_parser_reads(tmp_path: Path) -> None:
    out = tmp_path / "steps.csv"
    run = subprocess.run(
        [sys.executable, str(SCRIPT), "--out", str(out), "--models", "tiny", "--seconds", "30", "--window", "0.05"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert run.returncode == 0, run.stderr
    steps, refused = steps_of_file(out.read_bytes(), file_name=out.name)
    assert refused.is_empty()
    assert set(steps["phase"]) == {"prefill", "decode"}
    assert steps["relative_error"].max() < 1e-5
    assert steps.select((pl.col("step_time_p10_s") <= pl.col("step_time_p90_s")).all()).item()

"""Predictions of engine runs: ours out of sample beside NVIDIA's aiconfigurator, on the same measured runs.

    python benchmarks/bench_engine_predictions.py PYTHON [MOST]

PYTHON: an interpreter of its own with aiconfigurator==0.12.0 (`python -m venv X && X/bin/pip install aiconfigurator==0.12.0`).
Runs: closed loops without drafts of `marts.engine_run`, at most MOST of them (400), drawn alike in every run. Ours are the
errors that the table keeps of runs that took no part in their fit: a quarter of the group left out, and the whole group. The
peer's package holds measured runs of the same publisher, and it is told the number format and the split of each run as ours is.

The bar: ahead of it in the median of throughput and of TPOT where it answers, with a quarter of the group left out.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl

from warehouse.folder import data_root

SEED = 20_261_201
SYSTEMS = {"h100-sxm": "h100_sxm", "h200-sxm": "h200_sxm", "b200-sxm": "b200_sxm", "b300-sxm": "b300_sxm", "gb200": "gb200"}
BACKENDS = {"tensorrt_llm": "trtllm", "sglang": "sglang", "vllm": "vllm"}
MODELS = {"deepseek-r1": "deepseek-ai/DeepSeek-V3", "gpt-oss-120b": "openai/gpt-oss-120b"}
FORMATS = {"fp8": "fp8_block", "fp4": "nvfp4"}
"""Names of the peer for the experts of DeepSeek; those of gpt-oss it takes from the checkpoint."""
SHORTER = 0.9
"""Lengths of InferenceX are this share of the nominal ones."""
ASKED = """
    SELECT run_id, architecture, gpu, engine, precision, gpus, tp, ep, dp_attention, input_tokens, output_tokens, concurrency,
           output_measured, tpot_measured, output_error_run, output_error_group, tpot_error_run, tpot_error_group
    FROM marts.engine_run
    WHERE usable AND kind = 'closed' AND NOT drafts AND source = 'inferencex'
      AND output_measured IS NOT NULL AND tpot_measured IS NOT NULL
"""
PEER = """
import json, sys
from aiconfigurator.cli.api import cli_estimate
for line in sys.stdin:
    run = json.loads(line)
    try:
        found = cli_estimate(run.pop("model"), run.pop("system"), **run)
        print(json.dumps([found.ttft / 1e3, found.tpot / 1e3]), flush=True)
    except BaseException as error:
        print(json.dumps(str(error)[:200] or type(error).__name__), flush=True)
"""


def runs(most: int) -> pl.DataFrame:
    with duckdb.connect(str((data_root() / "releases" / "latest.duckdb").resolve()), read_only=True) as connection:
        found = connection.sql(ASKED).pl().with_columns(pl.selectors.categorical().cast(pl.String)).sort("run_id")
    return found.sample(min(most, found.height), seed=SEED, shuffle=True)


def asked(run: dict[str, object]) -> dict[str, object] | None:
    """The run in the peer's words; None where it knows no such accelerator, engine or model."""
    system, backend = SYSTEMS.get(str(run["gpu"])), BACKENDS.get(str(run["engine"]))
    model = MODELS.get(str(run["architecture"]))
    if not (system and backend and model):
        return None
    gpus, experts = int(run["tp"] or run["gpus"]), int(run["ep"] or 1)
    parallel = gpus if run["dp_attention"] else 1
    words = {
        "model": model,
        "system": system,
        "backend_name": backend,
        "isl": round(SHORTER * run["input_tokens"]),
        "osl": round(SHORTER * run["output_tokens"]),
        "tp_size": gpus // parallel,
        "attention_dp_size": parallel,
        "batch_size": max(round(run["concurrency"] / parallel), 1),
        "moe_ep_size": experts,
        "moe_tp_size": gpus // experts,
    }
    if run["architecture"] == "deepseek-r1":
        words["moe_quant_mode"] = FORMATS.get(str(run["precision"]))
    return words


def answers(python: str, questions: list[dict[str, object]]) -> list[object]:
    lines = "\n".join(json.dumps(question) for question in questions)
    done = subprocess.run(
        [python, "-c", PEER],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"AICONFIGURATOR_LOG_LEVEL": "ERROR"},
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("[", '"'))]


def errors(frame: pl.DataFrame, columns: dict[str, str]) -> None:
    """Median and 90th percentile of |predicted / measured - 1| of log errors measured over predicted, in percent."""
    for words, column in columns.items():
        off = frame.select(((-pl.col(column)).exp() - 1.0).abs() * 100.0).to_series().drop_nulls()
        print(f"  {words:42} {off.median():6.1f} {off.quantile(0.9):7.1f}   n = {len(off)}")


def main() -> int:
    if len(sys.argv) < 2 or not Path(sys.argv[1]).exists():
        print(__doc__)
        return 2
    table = runs(int(sys.argv[2]) if len(sys.argv) > 2 else 400)
    put = [asked(run) for run in table.iter_rows(named=True)]
    told = iter(answers(sys.argv[1], [question for question in put if question]))
    found = [next(told) if question else "not an accelerator, engine or model it knows" for question in put]
    pairs = [answer if isinstance(answer, list) else (None, None) for answer in found]
    table = table.with_columns(
        peer_ttft_s=pl.Series([pair[0] for pair in pairs], dtype=pl.Float64),
        peer_tpot_s=pl.Series([pair[1] for pair in pairs], dtype=pl.Float64),
    )
    length, flying = SHORTER * pl.col("output_tokens"), pl.col("concurrency") / pl.coalesce("gpus", "tp")
    rate = flying * length / (pl.col("peer_ttft_s") + length * pl.col("peer_tpot_s"))
    table = table.with_columns(
        peer_output=(pl.col("output_measured") / rate).log(), peer_tpot=(pl.col("tpot_measured") / pl.col("peer_tpot_s")).log()
    )
    both = table.drop_nulls("peer_tpot_s")
    print(f"{table.height} measured runs; the peer answers {both.height}, ours {table.drop_nulls('output_error_run').height}")
    for reason, count in (
        pl.Series([answer for answer in found if isinstance(answer, str)]).value_counts(sort=True).head(5).iter_rows()
    ):
        print(f"  refused {count:4}: {reason.splitlines()[0][:100]}")
    print("\n|predicted / measured - 1| in percent, median and 90th percentile, where both answer")
    for name in ("output", "tpot"):
        errors(
            both,
            {
                f"{name}: aiconfigurator": f"peer_{name}",
                f"{name}: ours, a quarter of the group left out": f"{name}_error_run",
                f"{name}: ours, the whole group left out": f"{name}_error_group",
            },
        )
    print("\nwhere the peer refuses")
    errors(
        table.filter(pl.col("peer_tpot_s").is_null()),
        {f"{name}: ours, a quarter left out": f"{name}_error_run" for name in ("output", "tpot")},
    )
    ahead = [both[f"{name}_error_run"].abs().median() < both[f"peer_{name}"].abs().median() for name in ("output", "tpot")]
    return int(not all(ahead))


if __name__ == "__main__":
    sys.exit(main())

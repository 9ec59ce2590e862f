"""Small evaluation logs as their tools write them, made here, with what a reader must find in each."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

_CENTRAL_HEADER = b"PK\x01\x02"
_METHOD_IN_LOCAL, _METHOD_IN_CENTRAL = 8, 10


class Sample(NamedTuple):
    """A log with the sums of all its records; what is not named is not looked at."""

    format: str
    write: Callable[[Path], Path]
    expected: dict[str, Any]


def _json(folder: Path, name: str, value: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def _lines(folder: Path, name: str, *values: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def _inspect_usage(input_: int, output: int, cost: float | None = None, read: int = 0) -> dict[str, Any]:
    usage = {
        "input_tokens": input_,
        "output_tokens": output,
        "total_tokens": input_ + output + read,
        "reasoning_tokens": 2,
        "input_tokens_cache_read": read,
        "input_tokens_cache_write": 0,
    }
    return usage if cost is None else usage | {"total_cost": cost}


INSPECT_HEADER = {
    "version": 2,
    "status": "success",
    "eval": {"task": "sums", "model": "lab/one", "created": "2026-03-01T10:00:00+00:00", "dataset": {"samples": 2}},
    "stats": {"model_usage": {"lab/one": _inspect_usage(35, 60, 0.006, 8), "lab/judge": _inspect_usage(9, 3)}},
}
INSPECT_SAMPLES = [
    {
        "id": "a",
        "epoch": 1,
        "scores": {"match": {"value": "C", "answer": "4"}},
        "model_usage": {"lab/one": _inspect_usage(10, 20, 0.002, 8), "lab/judge": _inspect_usage(9, 3)},
    },
    {
        "id": "b",
        "epoch": 1,
        "scores": {"match": {"value": "P", "answer": "5"}},
        "model_usage": {"lab/one": _inspect_usage(10, 20, 0.002)},
    },
    {"id": "c", "epoch": 1, "scores": {"match": {"value": float("nan")}}, "model_usage": {}},
    {"id": "d", "epoch": 1, "scores": {}, "model_usage": {}, "error": {"message": "connection lost"}},
]
INSPECT_FOUND = {
    "items": 4,
    "attempts": 4,
    "correct": 1.0,
    "errors": 1,
    "subject.input_tokens": 20,
    "subject.usd": 0.004,
    "subject.cache_read_tokens": 8,
    "judge.output_tokens": 3,
    "judge.usd": None,
    "retry.input_tokens": 15,
    "retry.usd": 0.002,
}


def inspect_json(folder: Path) -> Path:
    return _json(folder, "sums.json", INSPECT_HEADER | {"samples": INSPECT_SAMPLES})


def inspect_archive(folder: Path) -> Path:
    """Members are packed by zstandard, which Python's own zip cannot write: the method is set in the headers by hand."""
    path = folder / "sums.eval"
    members = {"header.json": INSPECT_HEADER, "summaries.json": INSPECT_SAMPLES}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, value in members.items():
            archive.writestr(name, pa.Codec("zstd").compress(json.dumps(value).encode(), asbytes=True))
    body = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            body[info.header_offset + _METHOD_IN_LOCAL] = 93
    at = -1
    while (at := body.find(_CENTRAL_HEADER, at + 1)) >= 0:
        body[at + _METHOD_IN_CENTRAL] = 93
    path.write_bytes(body)
    return path


def lm_eval_samples(folder: Path) -> Path:
    def line(doc: int, filter_: str, score: float, resps: list[str]) -> dict[str, Any]:
        return {
            "doc_id": doc,
            "target": "7",
            "resps": [resps],
            "filtered_resps": [resps[0]],
            "filter": filter_,
            "metrics": ["exact_match"],
            "exact_match": score,
        }

    _json(
        folder,
        "results_2026-03-01T10-00-00.0.json",
        {"results": {"sums": {"exact_match,first": 0.5}}, "configs": {}, "versions": {}, "model_name": "lab/one"},
    )
    return _lines(
        folder,
        "samples_sums_2026-03-01T10-00-00.0.jsonl",
        line(0, "first", 1.0, ["7", "8"]),
        line(1, "first", 0.0, ["8", "7"]),
        line(0, "vote", 1.0, ["7", "8"]),
        line(1, "vote", 1.0, ["7", "7"]),
    )


def lm_eval_results(folder: Path) -> Path:
    return _json(
        folder,
        "results_2026-03-01T10-00-00.0.json",
        {
            "results": {"sums": {"exact_match,first": 0.5, "exact_match_stderr,first": 0.1}},
            "versions": {"sums": 1.0},
            "configs": {"sums": {"repeats": 3}},
            "n-samples": {"sums": {"original": 8, "effective": 8}},
            "model_name": "lab/one",
        },
    )


def helm(folder: Path) -> Path:
    def row(item: str, right: float, perturbed: bool = False) -> dict[str, Any]:
        kind = {"name": "typos"} if perturbed else None
        name = {"split": "test"} | ({"perturbation": kind} if kind else {})
        stats = [
            {"name": name | {"name": "exact_match"}, "mean": right, "sum": right, "count": 1},
            {"name": name | {"name": "num_prompt_tokens"}, "mean": 50, "sum": 50, "count": 1},
            {"name": name | {"name": "num_completion_tokens"}, "mean": 5, "sum": 5, "count": 1},
        ]
        return {"instance_id": item, "train_trial_index": 0, "stats": stats} | ({"perturbation": kind} if kind else {})

    return _json(
        folder / "sums:subject=x,model=lab_one",
        "per_instance_stats.json",
        [row("a", 1.0), row("a", 0.0, perturbed=True), row("b", 0.0)],
    )


def hal(folder: Path) -> Path:
    calls = [
        {"weave_task_id": task, "summary": {"usage": {"lab-one": {"prompt_tokens": tokens, "completion_tokens": 0}}}}
        for task, tokens in (("0", 300), ("1", 100))
    ]
    return _json(
        folder,
        "run_UPLOAD.json",
        {
            "config": {
                "agent_name": "agent",
                "benchmark_name": "sums",
                "date": "2026-03-01",
                "agent_args": {"model_name": "lab-one"},
            },
            "results": {"successful_tasks": ["0"], "failed_tasks": ["1"]},
            "raw_eval_results": {"0": {"reward": 1.0}, "1": {"reward": 0.0}},
            "raw_logging_results": calls,
            "total_usage": {"lab-one": {"prompt_tokens": 400, "completion_tokens": 40, "cache_read_input_tokens": 100}},
            "total_cost": 0.04,
        },
    )


def swe_bench(folder: Path) -> Path:
    return _json(
        folder,
        "info.json",
        {
            "one": {
                "repo-1": {"resolved": True, "cost": 0.2, "api_calls": 3},
                "repo-2": {"resolved": False, "cost": 0.4, "api_calls": 9},
            },
            "two": {
                "repo-1": {"resolved": True, "cost": 0.0, "api_calls": 3},
                "repo-2": {"resolved": True, "cost": 0.1, "api_calls": 4},
            },
            "free": {"repo-1": {"resolved": False, "cost": 0.0, "api_calls": 4}},
        },
    )


def mini_swe_agent(folder: Path) -> Path:
    def trajectory(item: str, status: str, cost: float) -> None:
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 40}}
        message = {
            "role": "assistant",
            "extra": {"timestamp": 1_767_322_800.0, "response": {"model": "lab/one", "usage": usage}},
        }
        _json(
            folder / item,
            f"{item}.traj.json",
            {
                "trajectory_format": "mini-swe-agent-1.1",
                "instance_id": item,
                "messages": [{"role": "user"}, message, message],
                "info": {"exit_status": status, "model_stats": {"instance_cost": cost, "api_calls": 3}},
            },
        )

    trajectory("repo-1", "Submitted", 0.3)
    trajectory("repo-2", "LimitsExceeded", 0.6)
    _json(folder, "one.run.json", {"resolved_ids": ["repo-1"], "unresolved_ids": [], "empty_patch_ids": ["repo-2"]})
    _json(folder, "preds.json", {"repo-1": {"model_name_or_path": "one", "instance_id": "repo-1", "model_patch": "+"}})
    return folder


def tau_bench(folder: Path) -> Path:
    return _json(
        folder,
        "tool-calling-lab-one-0.0_range_0-2_user-lab-user-llm_0301100000.json",
        [
            {"task_id": 0, "reward": 1.0, "info": {"user_cost": 0.002}, "traj": [], "trial": 0},
            {"task_id": 0, "reward": 0.0, "info": {"user_cost": None}, "traj": [], "trial": 1},
            {"task_id": 1, "reward": 0.0, "info": {"error": "lost"}, "traj": [], "trial": 0},
        ],
    )


def tau2_bench(folder: Path) -> Path:
    def simulation(task: str, trial: int, end: str, reward: float | None, cost: float | None) -> dict[str, Any]:
        said = [{"role": role, "usage": {"prompt_tokens": 100, "completion_tokens": 10}} for role in ("assistant", "user")]
        return {
            "task_id": task,
            "trial": trial,
            "termination_reason": end,
            "agent_cost": cost,
            "user_cost": 0.001,
            "reward_info": None if reward is None else {"reward": reward},
            "messages": said,
            "start_time": "2026-03-01T10:00:00+00:00",
        }

    return _json(
        folder,
        "results.json",
        {
            "info": {
                "agent_info": {"llm": "lab/one"},
                "user_info": {"llm": "lab/user"},
                "environment_info": {"domain_name": "air"},
            },
            "tasks": [],
            "simulations": [
                simulation("a", 0, "user_stop", 1.0, 0.01),
                simulation("a", 1, "max_steps", None, 0.02),
                simulation("b", 0, "infrastructure_error", None, None),
            ],
        },
    )


def terminal_bench(folder: Path) -> Path:
    def trial(task: str, number: int, resolved: bool | None, failure: str, tokens: int | None) -> dict[str, Any]:
        return {
            "id": f"{task}{number}",
            "task_id": task,
            "trial_name": f"{task}.{number}-of-2.run",
            "is_resolved": resolved,
            "failure_mode": failure,
            "total_input_tokens": tokens,
            "total_output_tokens": tokens,
        }

    return _json(
        folder,
        "results.json",
        {
            "n_resolved": 2,
            "accuracy": 0.5,
            "resolved_ids": [],
            "unresolved_ids": [],
            "results": [
                trial("a", 1, True, "unset", 100),
                trial("a", 2, None, "agent_timeout", None),
                trial("b", 1, True, "unset", 0),
                trial("b", 2, False, "none", 50),
            ],
        },
    )


def harbor(folder: Path) -> Path:
    def trial(name: str, reward: float | None, cost: float | None, error: str | None = None) -> None:
        _json(
            folder / name,
            "result.json",
            {
                "task_name": name.split("__", maxsplit=1)[0],
                "trial_name": name,
                "agent_info": {"name": "agent", "model_info": {"name": "one"}},
                "agent_result": None
                if cost is None
                else {"n_input_tokens": 100, "n_cache_tokens": 60, "n_output_tokens": 9, "cost_usd": cost},
                "verifier_result": None if reward is None else {"rewards": {"reward": reward}},
                "exception_info": {"exception_type": error} if error else None,
                "started_at": "2026-03-01T10:00:00Z",
            },
        )

    trial("a__0", 1.0, 0.1)
    trial("a__1", 0.5, 0.2)
    trial("b__2", None, None, "EnvironmentStartTimeoutError")
    return folder


def _promptfoo_row(test: int, provider: str, k: int, outcome: int, cost: float) -> dict[str, Any]:
    usage = {"prompt": 50, "completion": 20, "total": 70, "completionDetails": {"reasoning": 5}} if outcome < 2 else {}
    return {
        "testIdx": test,
        "promptIdx": 0,
        "provider": {"id": provider},
        "vars": {"k": k},
        "success": outcome == 0,
        "score": float(outcome == 0),
        "failureReason": outcome,
        "error": "said no" if outcome else None,
        "cost": cost,
        "response": {"output": "4", "tokenUsage": usage},
        "tokenUsage": {},
        "prompt": {"label": "{{k}}"},
        "gradingResult": {"tokensUsed": {"total": 110, "prompt": 100, "completion": 10}} if outcome < 2 else None,
    }


PROMPTFOO_ROWS = [
    _promptfoo_row(0, "lab:one", 1, 0, 0.01),
    _promptfoo_row(1, "lab:one", 1, 1, 0.01),
    _promptfoo_row(2, "lab:one", 2, 2, 0.0),
]
PROMPTFOO_FOUND = {
    "items": 2,
    "attempts": 3,
    "correct": 1.0,
    "errors": 1,
    "subject.input_tokens": 100,
    "subject.usd": 0.02,
    "judge.input_tokens": 200,
}


def promptfoo(folder: Path) -> Path:
    return _json(
        folder, "out.json", {"evalId": "x", "results": {"version": 3, "prompts": [], "results": PROMPTFOO_ROWS, "stats": {}}}
    )


def promptfoo_lines(folder: Path) -> Path:
    return _lines(folder, "out.jsonl", *PROMPTFOO_ROWS)


def promptfoo_csv(folder: Path) -> Path:
    path = folder / "out.csv"
    block = "Status,Score,Named Scores,Grader Reason,Comment"
    path.write_text(
        f"k,[one] say,{block},[two] say,{block}\n1,4,PASS,1.00,,,,5,FAIL,0.00,,,\n1,4,PASS,1.00,,,,,ERROR,0.00,,,\n"
    )
    return path


def livecodebench(folder: Path) -> Path:
    return _json(
        folder / "lab-one",
        "Scenario.codegeneration_2_0.2_eval_all.json",
        [
            {"question_id": "1", "output_list": ["x", ""], "graded_list": [True, False]},
            {"question_id": "2", "output_list": ["x", "y"], "graded_list": [True, True]},
        ],
    )


def evalplus(folder: Path) -> Path:
    return _json(
        folder,
        "one_eval_results.json",
        {
            "date": "2026-03-01 10:00",
            "hash": "x",
            "eval": {
                "HumanEval/0": [{"base_status": "pass", "plus_status": "pass"}, {"base_status": "pass", "plus_status": "fail"}],
                "HumanEval/1": [
                    {"base_status": "timeout", "plus_status": "timeout"},
                    {"base_status": "pass", "plus_status": None},
                ],
            },
        },
    )


def deepeval(folder: Path) -> Path:
    def case(name: str, success: bool, error: str | None = None) -> dict[str, Any]:
        metric = {
            "evaluationModel": "judge",
            "evaluationCost": 0.0 if error else 0.004,
            "inputTokenCount": 0 if error else 200,
            "outputTokenCount": 0 if error else 30,
            "error": error,
        }
        return {"name": name, "success": success, "tokenCost": 0.01, "metricsData": [metric]}

    return _json(
        folder,
        "test_run.json",
        {
            "testCases": [case("a", True), case("b", False), case("c", False, "no judge")],
            "testPassed": 1,
            "testFailed": 2,
        },
    )


def braintrust(folder: Path) -> Path:
    def root(span: str, item: str, score: float | None, error: str | None = None) -> dict[str, Any]:
        metrics = (
            {} if error else {"prompt_tokens": 30, "prompt_cached_tokens": 20, "completion_tokens": 4, "estimated_cost": 0.001}
        )
        return {
            "span_id": span,
            "root_span_id": span,
            "is_root": True,
            "scores": {} if score is None else {"exact": score},
            "metrics": metrics,
            "metadata": {"model": "one", "item_id": item},
            "error": error,
            "created": "2026-03-01T10:00:00+00:00",
        }

    judge = {
        "span_id": "j",
        "root_span_id": "r0",
        "is_root": False,
        "scores": {"exact": 1},
        "metrics": {"prompt_tokens": 15},
        "metadata": {"model": "judge"},
        "span_attributes": {"type": "score", "purpose": "scorer"},
    }
    return _lines(folder, "sums.jsonl", root("r0", "a", 1.0), judge, root("r1", "a", 0.0), root("r2", "b", None, "lost"))


def langsmith(folder: Path) -> Path:
    def runs(trace: str, item: str, avg: float, status: str = "success") -> list[dict[str, Any]]:
        tokens = 0 if status == "error" else 70
        facts = {
            "trace_id": trace,
            "status": status,
            "prompt_tokens": tokens,
            "completion_tokens": tokens,
            "reference_example_id": item,
            "prompt_token_details": {"cache_read": 10} if tokens else {},
            "total_cost": "0.002" if tokens else None,
        }
        return [
            {"id": trace, "run_type": "chain", "parent_run_id": None, "feedback_stats": {"correct": {"n": 1, "avg": avg}}}
            | facts,
            {"id": f"{trace}c", "run_type": "llm", "parent_run_id": trace} | facts,
        ]

    return _lines(folder, "runs.jsonl", *runs("t0", "a", 1.0), *runs("t1", "b", 0.0), *runs("t2", "b", 0.0, "error"))


def langfuse(folder: Path) -> Path:
    def seen(name: str, level: str, cost: float | None) -> dict[str, Any]:
        usage = (
            {}
            if level == "ERROR"
            else {"input": 10, "cache_read_input_tokens": 50, "output": 5, "output_reasoning_tokens": 2, "total": 67}
        )
        return {
            "id": name,
            "traceId": "t",
            "type": "GENERATION",
            "name": name,
            "level": level,
            "model": "one",
            "usageDetails": usage,
            "costDetails": {},
            "totalCost": cost,
            "startTime": "2026-03-01T10:00:00+00:00",
            "metadata": {"item_id": "a"},
        }

    span = {"id": "s", "traceId": "t", "type": "SPAN", "usageDetails": {}, "totalCost": 9.0}
    return _lines(
        folder,
        "observations.jsonl",
        seen("subject", "DEFAULT", 0.01),
        seen("judge", "DEFAULT", 0.02),
        seen("subject", "ERROR", None),
        span,
    )


def lighteval(folder: Path) -> Path:
    rows = [
        {
            "doc": {"id": str(at), "task_name": "sums|0", "num_samples": 2},
            "metric": {"extractive_match": score, "pass@k:k=1": 0.5},
            "model_response": {
                "text": ["x", "y"],
                "input_tokens": [1, 1, 1],
                "output_tokens": [[2, 2], [2]],
                "text_post_processed": ["x", "y"],
            },
        }
        for at, score in ((0, 1.0), (1, 0.0))
    ]
    path = folder / "details" / "lab" / "one" / "2026-03-01T10-00-00.0" / "details_sums|0_2026-03-01T10-00-00.0.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def opencompass(folder: Path) -> Path:
    run = folder / "20260301_100000"
    _json(
        run / "predictions" / "one",
        "sums.json",
        {str(at): {"origin_prompt": [], "prediction": "x", "res_length": 10 + at, "all_input_length": 20} for at in range(2)},
    )
    return _json(
        run / "results" / "one",
        "sums.json",
        {
            "accuracy": 50.0,
            "details": {"type": "GEN", "0": {"predictions": "x", "correct": True}, "1": {"predictions": "y", "correct": False}},
        },
    )


def aider(folder: Path) -> Path:
    run = folder / "2026-03-01-10-00-00--one"
    for name, facts in {
        "a": {
            "testcase": "a",
            "model": "lab/one",
            "tests_outcomes": [False, True],
            "cost": 0.02,
            "prompt_tokens": 100,
            "completion_tokens": 10,
        },
        "b": {
            "testcase": "b",
            "model": "lab/one",
            "tests_outcomes": [False, False],
            "cost": 0.03,
            "prompt_tokens": 100,
            "completion_tokens": 10,
        },
        "c": {"exception": "traceback"},
    }.items():
        _json(run / "python" / "exercises" / "practice" / name, ".aider.results.json", facts)
    return folder


def aider_board(folder: Path) -> Path:
    path = folder / "polyglot_leaderboard.yml"
    path.write_text(
        "- dirname: 2026-03-01--one\n  test_cases: 10\n  model: lab/one\n  pass_rate_1: 30.0\n"
        "  pass_rate_2: 60.0\n  pass_num_2: 6\n"
        "  total_tests: 12\n  date: 2026-03-01\n  total_cost: 0.5\n  prompt_tokens: 1000\n  completion_tokens: 100\n"
    )
    return path


def arc_agi(folder: Path) -> Path:
    def attempt(answer: int) -> dict[str, Any]:
        usage = {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "completion_tokens_details": {"reasoning_tokens": 15},
        }
        return {
            "answer": [[answer]],
            "correct": None,
            "metadata": {
                "model": "one",
                "usage": usage,
                "cost": {"total_cost": 0.01},
                "start_timestamp": "2026-03-01T10:00:00Z",
            },
        }

    _json(
        folder / "tasks",
        "a.json",
        {"train": [], "test": [{"input": [[0]], "output": [[1]]}, {"input": [[0]], "output": [[2]]}]},
    )
    _json(folder / "tasks", "b.json", {"train": [], "test": [{"input": [[0]], "output": [[1]]}]})
    _json(
        folder / "submissions" / "one",
        "a.json",
        [{"attempt_1": attempt(9), "attempt_2": attempt(1)}, {"attempt_1": attempt(9), "attempt_2": attempt(9)}],
    )
    _json(folder / "submissions" / "one", "b.json", [{"attempt_1": attempt(1), "attempt_2": None}])
    return folder / "submissions"


def matharena(folder: Path) -> Path:
    """As the tool writes it now: packed by zstandard."""
    body = json.dumps(
        {
            "idx": 3,
            "N": 2,
            "answers": ["1", "2"],
            "correct": [True, False],
            "cost": {"cost": 0.03},
            "detailed_costs": [
                {"cost": 0.01, "input_tokens": 100, "cached_input_tokens": 60, "output_tokens": 900, "n_retries": 1},
                {"cost": 0.02, "input_tokens": 100, "cached_input_tokens": 0, "output_tokens": 1900, "n_retries": 0},
            ],
        }
    ).encode()
    path = folder / "outputs" / "sums" / "lab--one" / "3.json.zst"
    path.parent.mkdir(parents=True)
    path.write_bytes(pa.Codec("zstd").compress(body, asbytes=True))
    return path


def openai_evals(folder: Path) -> Path:
    def event(item: str, kind: str, **data: Any) -> dict[str, Any]:
        return {
            "run_id": "r",
            "event_id": 0,
            "sample_id": item,
            "type": kind,
            "data": data,
            "created_at": "2026-03-01 10:00:00+00:00",
        }

    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    return _lines(
        folder,
        "r_one_sums.jsonl",
        {"spec": {"completion_fns": ["one"], "base_eval": "sums", "run_id": "r"}},
        event("s.0", "sampling", usage=usage),
        event("s.0", "match", correct=True, picked="x"),
        event("s.1", "sampling"),
        event("s.1", "match", correct=False),
        event("s.1", "error", message="lost"),
        {"final_report": {"accuracy": 0.5}},
    )


def simple_evals(folder: Path) -> Path:
    def example(item: str, score: float, said: str = "x") -> dict[str, Any]:
        tokens = None if said != "x" else 40
        return {
            "score": score,
            "prompt_id": item,
            "completion": [{"role": "assistant", "content": said}],
            "prompt": [],
            "usage": {
                "input_tokens": tokens,
                "input_cached_tokens": tokens,
                "output_tokens": tokens,
                "output_reasoning_tokens": tokens,
            },
        }

    examples = [example("a", 1.0), example("b", 0.4), example("c", 0.0, "No response (bad request).")]
    return _json(
        folder,
        "healthbench_lab-one_20260301_100000_allresults.json",
        {"score": 0.5, "metrics": {}, "htmls": [], "convos": [], "metadata": {"example_level_metadata": examples}},
    )


def openrouter(folder: Path) -> Path:
    path = folder / "activity.csv"
    path.write_text(
        "generation_id,created_at,cost_total,byok_usage_inference,tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,"
        "model_permaslug,cancelled\ng1,2026-03-01 10:00:00.000,0.01,0,100,50,20,60,lab/one,false\n"
        "g2,2026-03-01 10:00:01.000,0,0.002,100,0,0,0,lab/one,true\ng3,2026-03-01 10:00:02.000,x,0,100,0,0,0,lab/one,false\n"
    )
    return path


def litellm(folder: Path) -> Path:
    def row(name: str, group: str, spend: float, **more: Any) -> dict[str, Any]:
        metadata = {
            "usage_object": {"completion_tokens_details": {"reasoning_tokens": 3}},
            "status": "success",
            "additional_usage_values": {"cache_read_input_tokens": 10, "cache_creation_input_tokens": 0},
            "spend_logs_metadata": {"item_id": "a"},
        }
        return {
            "request_id": name,
            "call_type": "acompletion",
            "spend": spend,
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "model": "lab/one",
            "model_group": group,
            "cache_hit": "False",
            "metadata": metadata,
            "startTime": "2026-03-01T10:00:00+00:00",
        } | more

    return _json(
        folder,
        "spend.json",
        [
            row("r0", "subject", 0.01),
            row("r0", "subject", 0.01),
            row("r1", "judge", 0.02),
            row("r2", "subject", 0.0, metadata=json.dumps({"status": "success"})),
            row("r3", "subject", 0.0, status="failure"),
        ],
    )


def _buckets(*results: dict[str, Any]) -> dict[str, Any]:
    return {"data": [{"start_time": 1_772_359_200, "starting_at": "2026-03-01T00:00:00Z", "results": list(results)}]}


def openai_usage(folder: Path) -> Path:
    return _json(
        folder,
        "usage.json",
        _buckets(
            {
                "input_tokens": 100,
                "output_tokens": 20,
                "input_cached_tokens": 40,
                "num_model_requests": 5,
                "model": "one",
                "batch": False,
            },
            {
                "input_tokens": 100,
                "output_tokens": 20,
                "input_cached_tokens": 0,
                "num_model_requests": 3,
                "model": "two",
                "batch": True,
            },
        ),
    )


def openai_costs(folder: Path) -> Path:
    return _json(
        folder,
        "costs.json",
        _buckets(
            {"amount": {"value": 0.5, "currency": "usd"}, "line_item": "one, input"},
            {"amount": {"value": 0.25, "currency": "usd"}, "line_item": "one, output"},
        ),
    )


def anthropic_usage(folder: Path) -> Path:
    written = {"ephemeral_1h_input_tokens": 30, "ephemeral_5m_input_tokens": 20}
    return _json(
        folder,
        "usage.json",
        _buckets(
            {
                "uncached_input_tokens": 100,
                "cache_creation": written,
                "output_tokens": 9,
                "cache_read_input_tokens": 700,
                "model": "one",
                "service_tier": "standard",
            }
        ),
    )


def anthropic_costs(folder: Path) -> Path:
    return _json(folder, "costs.json", _buckets({"amount": "123.45", "currency": "USD", "model": "one"}))


def plain_table(folder: Path) -> Path:
    path = folder / "attempts.csv"
    path.write_text(
        "question_id;model;sample;passed;prompt_tokens;completion_tokens;cost;judge_usd\n"
        'a;one;0;true;10;5;0.01;0.001\na;one;1;0;10;5;0.02;\n"b;2";one;0;1;;;;\nb;one;0;perhaps;10;5;0.01;\nc;one;0;1;-4;5;0.01;\n'
    )
    return path


SAMPLES = [
    Sample("inspect_ai", inspect_json, INSPECT_FOUND),
    Sample("inspect_ai", inspect_archive, INSPECT_FOUND),
    Sample("lm_eval", lm_eval_samples, {"items": 2, "attempts": 4, "correct": 1.0, "errors": 0, "subject.usd": None}),
    Sample("lm_eval", lm_eval_results, {"total.items": 8, "total.correct": 4.0, "total.samples_per_item": 3}),
    Sample("helm", helm, {"items": 2, "attempts": 3, "correct": 1.0, "subject.input_tokens": 100, "copy.input_tokens": 50}),
    Sample(
        "hal",
        hal,
        {
            "items": 2,
            "attempts": 2,
            "correct": 1.0,
            "subject.usd": 0.04,
            "subject.input_tokens": 400,
            "subject.output_tokens": 40,
            "subject.cache_read_tokens": 100,
        },
    ),
    Sample("swe_bench", swe_bench, {"items": 2, "attempts": 5, "correct": 3.0, "subject.usd": 0.7, "subject.unknown": 1}),
    Sample(
        "swe_bench",
        mini_swe_agent,
        {
            "items": 2,
            "attempts": 2,
            "correct": 1.0,
            "errors": 1,
            "subject.usd": 0.9,
            "subject.input_tokens": 400,
            "subject.cache_read_tokens": 160,
        },
    ),
    Sample(
        "tau_bench",
        tau_bench,
        {"items": 2, "attempts": 3, "correct": 1.0, "errors": 1, "simulator.usd": 0.002, "subject.usd": None},
    ),
    Sample(
        "tau2_bench",
        tau2_bench,
        {
            "items": 2,
            "attempts": 3,
            "correct": 1.0,
            "errors": 1,
            "subject.usd": 0.03,
            "simulator.usd": 0.003,
            "subject.input_tokens": 300,
        },
    ),
    Sample(
        "terminal_bench",
        terminal_bench,
        {"items": 2, "attempts": 4, "correct": 2.0, "errors": 1, "subject.input_tokens": 150, "subject.usd": None},
    ),
    Sample(
        "harbor",
        harbor,
        {"items": 2, "attempts": 3, "correct": 1.0, "errors": 1, "subject.usd": 0.3, "subject.cache_read_tokens": 120},
    ),
    Sample("promptfoo", promptfoo, PROMPTFOO_FOUND),
    Sample("promptfoo", promptfoo_lines, PROMPTFOO_FOUND),
    Sample("promptfoo", promptfoo_csv, {"items": 1, "attempts": 4, "correct": 2.0, "errors": 1, "subject.usd": None}),
    Sample("livecodebench", livecodebench, {"items": 2, "attempts": 4, "correct": 3.0, "errors": 1}),
    Sample("evalplus", evalplus, {"items": 2, "attempts": 4, "correct": 2.0, "errors": 1}),
    Sample(
        "deepeval",
        deepeval,
        {
            "items": 3,
            "attempts": 3,
            "correct": 1.0,
            "errors": 1,
            "subject.usd": 0.03,
            "judge.usd": 0.008,
            "judge.input_tokens": 400,
            "subject.input_tokens": None,
        },
    ),
    Sample(
        "braintrust",
        braintrust,
        {
            "items": 2,
            "attempts": 3,
            "correct": 1.0,
            "errors": 1,
            "subject.usd": 0.002,
            "judge.input_tokens": 15,
            "subject.cache_read_tokens": 40,
        },
    ),
    Sample(
        "langsmith",
        langsmith,
        {"items": 2, "attempts": 3, "correct": 1.0, "errors": 1, "subject.usd": 0.004, "subject.input_tokens": 140},
    ),
    Sample(
        "langfuse",
        langfuse,
        {
            "items": 1,
            "attempts": 3,
            "correct": None,
            "errors": 1,
            "subject.usd": 0.01,
            "judge.usd": 0.02,
            "subject.input_tokens": 10,
        },
    ),
    Sample(
        "lighteval",
        lighteval,
        {"items": 2, "attempts": 4, "correct": 1.0, "subject.input_tokens": 6, "subject.output_tokens": 6},
    ),
    Sample(
        "opencompass",
        opencompass,
        {"items": 2, "attempts": 2, "correct": 1.0, "subject.input_tokens": 40, "subject.output_tokens": 21},
    ),
    Sample(
        "aider",
        aider,
        {"items": 3, "attempts": 3, "correct": 1.0, "errors": 1, "subject.usd": 0.05, "subject.input_tokens": 200},
    ),
    Sample("aider", aider_board, {"total.items": 10, "total.correct": 6.0, "total.usd": 0.5}),
    Sample(
        "arc_agi",
        arc_agi,
        {"items": 2, "attempts": 5, "correct": 1.5, "errors": 1, "subject.usd": 0.05, "subject.reasoning_tokens": 75},
    ),
    Sample(
        "matharena",
        matharena,
        {"items": 1, "attempts": 2, "correct": 1.0, "subject.usd": 0.03, "subject.cache_read_tokens": 60},
    ),
    Sample("openai_evals", openai_evals, {"items": 2, "attempts": 2, "correct": 1.0, "errors": 1, "subject.input_tokens": 10}),
    Sample("simple_evals", simple_evals, {"items": 3, "attempts": 3, "correct": 1.0, "errors": 1, "subject.input_tokens": 80}),
    Sample(
        "openrouter", openrouter, {"attempts": 2, "errors": 1, "subject.usd": 0.01, "subject.input_tokens": 200, "refused": 1}
    ),
    Sample("litellm", litellm, {"attempts": 4, "errors": 1, "subject.usd": 0.01, "judge.usd": 0.02, "subject.unknown": 1}),
    Sample("organisation_bills", openai_usage, {"attempts": 8, "subject.input_tokens": 200, "subject.cache_read_tokens": 40}),
    Sample("organisation_bills", openai_costs, {"total.usd": 0.75}),
    Sample(
        "organisation_bills",
        anthropic_usage,
        {"attempts": None, "subject.cache_write_tokens": 50, "subject.cache_read_tokens": 700},
    ),
    Sample("organisation_bills", anthropic_costs, {"total.usd": 1.2345}),
    Sample(
        "plain_table",
        plain_table,
        {
            "items": 2,
            "attempts": 3,
            "correct": 2.0,
            "subject.usd": 0.03,
            "judge.usd": 0.001,
            "subject.input_tokens": 20,
            "refused": 2,
        },
    ),
]

"""The questions that infrastructure engineers ask: each is answered, or refused for a reason that is named."""

from pathlib import Path
from typing import Any

import pytest

from answers.decide.answer import decide
from answers.decide.asked import QuestionError
from answers.decide.record import ServingQuestion

USUAL = {"input_tokens": 2000.0, "output_tokens": 500.0, "requests_per_s": 10.0, "ttft_p99_s": 2.0, "tpot_p99_s": 0.05}
R1, LLAMA = {"model": "deepseek-r1"}, {"model": "llama-3.3-70b"}
SMALL = [{"model": "llama-3.1-8b", "gpu": gpu} for gpu in ("a100-80gb", "h100", "l40s", "rtx-4090", "mi300x")]
ANSWERED: list[dict[str, Any]] = [
    *SMALL,
    LLAMA | {"gpu": "H100", "precision": "fp8"},
    LLAMA | {"gpu": "h200", "precision": "bf16"},
    LLAMA | {"gpu": "B200", "precision": "nvfp4"},
    LLAMA | {"gpu": "MI355X", "precision": "fp8"},
    LLAMA | {"gpu": "Gaudi 3", "usd_per_gpu_hour": 2.0},
    {"model": "llama-3.1-405b", "gpu": "h100", "precision": "fp8", "tp": 8},
    {"model": "llama-3.1-405b", "gpu": "h200", "precision": "fp8", "tp": 8},
    {"model": "llama-4-maverick", "gpu": "h200", "precision": "fp8"},
    {"model": "qwen3-32b", "gpu": "h100", "tpot_p99_s": 0.012},
    {"model": "qwen3-235b-a22b", "gpu": "h100", "precision": "fp8"},
    {"model": "qwen3-30b-a3b", "gpu": "h100"},
    R1 | {"gpu": "h200", "precision": "fp8"},
    R1 | {"gpu": "h100", "precision": "fp8"},
    R1 | {"gpu": "b200", "precision": "nvfp4"},
    R1 | {"gpu": "gb200"},
    {"model": "deepseek-v3.2", "gpu": "h200", "precision": "fp8"},
    {"model": "gpt-oss-120b", "gpu": "h100"},
    {"model": "gpt-oss-120b", "gpu": "b200"},
    {"model": "gpt-oss-20b", "gpu": "rtx 4090"},
    {"model": "glm-4.6", "gpu": "h200", "precision": "fp8"},
    {"model": "kimi-k2", "gpu": "h200", "precision": "fp8"},
    {"model": "minimax-m2.5", "gpu": "h200"},
    {"model": "mixtral-8x7b", "gpu": "a100"},
    {"model": "gemma-3-27b", "gpu": "h100"},
    {"model": "mistral-large-3", "gpu": "h200"},
    LLAMA | {"gpu": "RTX PRO 6000", "precision": "int4-awq"},
    R1 | {"gpu": "h200", "prefix_hit_share": 0.6},
    LLAMA | {"gpu": "h100", "draft_tokens": 3.0, "draft_acceptance": 0.7},
    LLAMA | {"gpu": "h200", "prefill_gpu": "h100", "input_tokens": 32_000.0, "output_tokens": 300.0, "ttft_p99_s": 8.0},
    LLAMA | {"gpu": ("h100", "h200")},
    {"model": "qwen3-32b", "gpu": "any"},
]


@pytest.mark.slow
@pytest.mark.parametrize("asked", ANSWERED, ids=lambda asked: f"{asked['model']} on {asked['gpu']}")
def test_it_is_answered_in_gpus_and_dollars(refreshed: Path, asked: dict[str, Any]) -> None:
    found = decide(ServingQuestion(**(USUAL | asked)), warehouse=refreshed / "releases" / "latest.duckdb")
    assert found.designs, (found.unmet, found.refused)
    best = found.designs[0]
    assert best.gpus > 0
    assert best.usd_per_hour == pytest.approx(best.usd_per_mtok_output * 3600 * 10 * found.question.output_tokens / 1e6)
    assert best.checked is not None, "it is simulated before it is said"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"model": "llama-3.1-8b", "gpu": "h100", "tpot_p99_s": 50.0}, "did you mean 0.05"),
        ({"model": "llama-3.1-8b", "gpu": "tpu-v6e"}, "no rent is known"),
        ({"model": "llama-3.1-8b", "gpu": "a100", "precision": "fp8"}, "has no fp8 peak"),
    ],
)
def test_it_is_refused_for_a_reason(refreshed: Path, asked: dict[str, Any], reason: str) -> None:
    with pytest.raises(QuestionError, match=reason):
        decide(ServingQuestion(**(USUAL | asked)), warehouse=refreshed / "releases" / "latest.duckdb")

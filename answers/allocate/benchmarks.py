"""Benchmarks by name, with the number of their items where the benchmark itself fixes it."""

import difflib
from collections.abc import Iterable

ITEMS: dict[str, int] = {
    "aider_polyglot": 225,
    "aime24": 30,
    "aime25": 30,
    "arc_agi_1_semi_private": 100,
    "arc_agi_2_semi_private": 120,
    "gpqa_diamond": 198,
    "gsm8k": 1_319,
    "humaneval": 164,
    "math500": 500,
    "mbpp": 974,
    "swe_bench_lite": 300,
    "swe_bench_verified": 500,
}
"""Sizes of the published test sets: GPQA 2311.12022, GSM8K 2110.14168, HumanEval 2107.03374, MATH-500 2305.20050, MBPP
2108.07732, SWE-bench 2310.06770 and its Verified subset, ARC Prize and Aider by their boards."""
GROWING = ("livecodebench",)
"""Known by name, without a size of their own."""

_NEAR = 0.6


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean x or y?` for names near to one that is not known, else nothing."""
    near = difflib.get_close_matches(name, list(known), n=2, cutoff=_NEAR)
    near = near or [each for each in known if name and name in each][:2]
    return f"; did you mean {' or '.join(near)}?" if near else ""

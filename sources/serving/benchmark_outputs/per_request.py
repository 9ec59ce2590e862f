"""Statistics of a run from its single requests, and the check that they and the printed summary share a unit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sources.serving.benchmark_outputs.fields import Point, RowError

Values = npt.NDArray[np.float64]

_QUANTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}
_SAME_UNIT = 2.0
"""Summary and requests of one run may differ by rounding and by what counts as the end, never by this factor."""
DETAIL_KEYS = frozenset({"input_lens", "output_lens", "ttfts", "itls", "generated_texts", "errors", "start_times"})
"""Keys under which vLLM and SGLang write one entry per request."""


def values(items: Any, name: str) -> Values:
    """Numbers of at least zero as an array; RowError for anything else in the list."""
    if not isinstance(items, list):
        raise RowError("not_a_list", f"{name} should be a list", column=name, value=items)
    if any(isinstance(item, bool) or not isinstance(item, int | float) for item in items):
        raise RowError("not_a_number", f"{name} should hold numbers only", column=name)
    try:
        found: Values = np.asarray(items, dtype=np.float64)
    except OverflowError as error:
        raise RowError("out_of_range", f"{name} holds a number that is too large", column=name) from error
    if not np.all(np.isfinite(found)) or np.any(found < 0):
        raise RowError("not_finite", f"{name} should hold finite numbers of at least zero", column=name)
    return found


def distribution(name: str, figures: Values, *, scale: float = 1.0) -> Point:
    """Mean and percentiles (linear between ranks) as `<name>_mean_s` ...; empty without figures or where all are 0."""
    if figures.size == 0 or not figures.any():
        return {}
    levels = np.percentile(figures, list(_QUANTILES.values())) * scale
    found = {f"{name}_mean_s": float(figures.mean()) * scale}
    return found | {f"{name}_{q}_s": float(level) for q, level in zip(_QUANTILES, levels, strict=True)}


def token_distribution(name: str, figures: Values) -> Point:
    """Mean and percentiles of prompt or answer lengths as `<name>_tokens_mean` ...; empty without figures."""
    if figures.size == 0:
        return {}
    levels = np.percentile(figures, [50, 90, 99])
    found = {f"{name}_tokens_mean": float(figures.mean())}
    return found | {f"{name}_tokens_{q}": float(level) for q, level in zip(("p50", "p90", "p99"), levels, strict=True)}


def detailed_run(record: Mapping[str, Any]) -> Point:
    """Latencies and lengths from the per-request lists of vLLM (`--save-detailed`) and SGLang (`--output-details`).

    Lists in seconds: `ttfts`, `itls` (one list per request); in tokens: `input_lens`, `output_lens`. A request failed
    where its answer is empty or its error is not. TPOT is (E2E - TTFT)/(n - 1) of each request with n of 2 or more.
    Returns {} without the lists; RowError where they do not belong together.
    """
    if not isinstance(record.get("ttfts"), list) or not isinstance(record.get("output_lens"), list):
        return {}
    ttfts, outputs = values(record["ttfts"], "ttfts"), values(record["output_lens"], "output_lens")
    gaps = record.get("itls")
    errors = record.get("errors")
    failed = np.array([bool(error) for error in errors] if isinstance(errors, list) else np.zeros(outputs.size, bool))
    if not ttfts.size == outputs.size == failed.size or (isinstance(gaps, list) and len(gaps) != ttfts.size):
        raise RowError("lists_differ_in_length", "the per-request lists have different lengths", column="ttfts")
    done = ~failed & (outputs > 0)
    point = distribution("ttft", ttfts[done]) | token_distribution("output", outputs[done])
    if isinstance(record.get("input_lens"), list):
        inputs = values(record["input_lens"], "input_lens")
        if inputs.size == done.size:
            point |= token_distribution("input", inputs[done])
    if isinstance(gaps, list):
        point |= _from_gaps(ttfts, outputs, [values(item, "itls") for item in gaps], done)
    return point


def _from_gaps(ttfts: Values, outputs: Values, gaps: Sequence[Values], done: npt.NDArray[np.bool_]) -> Point:
    decode_s = np.array([float(gap.sum()) for gap in gaps])
    several = done & (outputs >= 2)
    pooled = [gap for gap, is_done in zip(gaps, done, strict=True) if is_done]
    return (
        distribution("tpot", decode_s[several] / (outputs[several] - 1))
        | distribution("itl", np.concatenate(pooled) if pooled else np.empty(0))
        | distribution("e2e", (ttfts + decode_s)[done])
    )


def with_details(summary: Point, details: Point) -> Point:
    """Summary, completed from its requests; RowError where the two are not in the same unit."""
    for column in ("ttft_mean_s", "ttft_p50_s", "ttft_p99_s", "tpot_mean_s", "tpot_p50_s", "itl_mean_s", "e2e_mean_s"):
        stated, computed = summary.get(column), details.get(column)
        if stated and computed and not 1 / _SAME_UNIT < stated / computed < _SAME_UNIT:
            raise RowError(
                "summary_differs_from_requests",
                f"the summary says {column} is {stated:.6g}, its own requests give {computed:.6g}",
                column=column,
                value=stated,
            )
    return details | {column: figure for column, figure in summary.items() if figure is not None}

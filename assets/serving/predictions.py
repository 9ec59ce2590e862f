"""Operating points that the closed forms predict: every design on every GPU of interest at the contracts of a frame."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.serving.pairs import AXES, INPUT_TOKENS, MODELS
from economics.numeric.draws import Uniform, draw, quantiles_by_row
from economics.serving.cost import ARCHITECTURES, cost
from economics.serving.scenarios import (
    ACHIEVED_LINK_SHARES,
    CALIBRATION,
    REFERENCE_ENGINE,
    Facts,
    hardware_symbols,
    model_symbols,
    scenario_of,
    smallest_replica,
)
from economics.serving.symbols import Contract, Efficiency, RequestShape, Scenario

SETTING = "realistic"
ARRIVAL_RATE_PER_S = 16.0
"""Requests over the whole deployment: enough that pools are not one replica."""
STANDARD_RATIO = 4.0
ASSUMED = {"mfu": (0.5, 0.35, 0.65), "mbu": (0.8, 0.65, 0.95)}
"""MFU and MBU where nothing is fitted, with the range of decide."""
SIXTEEN_BITS = ("bf16", "fp16")
DEFINITIONS = {
    "after_first_token": "per_request_mean",
    "pooled_gaps": "per_token_p99",
    "mean_of_worst_tenth": "worst_tenth_mean",
}
"""TPOT definitions that the closed forms know, by their name in tables."""
DRAWS, SEED, BAND = 200, 2026, (0.05, 0.95)
Fits = dict[tuple[str, str], dict[int | None, Facts]]
"""Rows of marts.calibration by GPU and model, then by GPU count."""

STANDARD = pl.DataFrame(
    [
        {
            "model": model,
            "workload": f"{INPUT_TOKENS:.0f} in, {INPUT_TOKENS / STANDARD_RATIO:.0f} out",
            "percentile": 99.0,
            "tpot_definition": "pooled_gaps",
            "input_tokens": INPUT_TOKENS,
            "output_tokens": INPUT_TOKENS / STANDARD_RATIO,
            "ttft_s": float(ttft_s),
            "tpot_s": float(tpot_s),
        }
        for model in MODELS
        for ttft_s in AXES["ttft_s"]
        for tpot_s in AXES["tpot_s"][1::2][1::2]
    ]
)
"""Questions asked whatever the evidence: prompts and contracts of the break-even surface, four tokens in per token out."""


def predictions(
    questions: pl.DataFrame, gpus: pl.DataFrame, *, shapes: pl.DataFrame, prices: pl.DataFrame, fits: pl.DataFrame
) -> pl.DataFrame:
    """GPU-hours per million tokens of each design on each GPU that somebody rents out, at each contract it can meet.

    `questions`: model, workload, percentile, tpot_definition, lengths and contract, as in `STANDARD`; `gpus`: contract `Gpu`;
    `shapes`: `ModelShape`; `prices`: `GpuPrice`; `fits`: `Calibration`. Questions about unknown shapes or definitions have no
    answer.
    """
    known = {row["model"]: row for row in shapes.iter_rows(named=True)}
    rented = gpus.join(prices.select("gpu"), on="gpu", how="semi")
    groups = _groups(fits)
    frame = ["model", "workload", "percentile", "tpot_definition", "input_tokens", "output_tokens"]
    rows = [
        row
        for key, contracts in questions.group_by(frame, maintain_order=True)
        if (asked := dict(zip(frame, key, strict=True)))["model"] in known and asked["tpot_definition"] in DEFINITIONS
        for gpu in rented.iter_rows(named=True)
        for row in _answers(asked, contracts, gpu, known[str(asked["model"])], groups)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _answers(asked: Facts, contracts: pl.DataFrame, gpu: Facts, shape: Facts, groups: Fits) -> Iterator[dict[str, Any]]:
    """Points of one frame on one GPU, for each contract and design that can meet it."""
    gpus = smallest_replica(gpu=gpu, model=model_symbols(shape), context_tokens=_context_tokens(asked))
    found = {name: _share(name, groups.get((gpu["gpu"], shape["model"]), {}), gpus) for name in ASSUMED}
    shares = {name: share for name, (share, _) in found.items()}
    fitted = sum(is_fitted for _, is_fitted in found.values())
    bounds = [contracts[name].to_numpy()[:, None] for name in ("ttft_s", "tpot_s")]
    scenario = _scenario(asked, bounds, gpu, gpus, shape, {name: _with_draws(name, share) for name, share in shares.items()})
    for design in ARCHITECTURES:
        usd = np.broadcast_to(cost(scenario=scenario, architecture=design).usd_per_mtok, (contracts.height, 1 + DRAWS))
        hours, spread = usd[:, 0], np.ascontiguousarray(usd[:, 1:])
        low, high = quantiles_by_row(spread, BAND)
        for at, (ttft_s, tpot_s) in enumerate(contracts.select("ttft_s", "tpot_s").iter_rows()):
            if not np.isfinite(hours[at]):
                continue
            kept = asked["percentile"] / 100.0
            yield {
                **asked,
                "basis": "predicted",
                "source": "closed_form",
                "system": None,
                "design": design,
                "gpu": gpu["gpu"],
                "point": f"predicted: {gpu['gpu']} | {design} | ttft {ttft_s:g} s | tpot {tpot_s:g} s",
                "gpus": int(gpus),
                "precision": "bf16",
                "arrival": "open_loop",
                "ttft_s": ttft_s,
                "tpot_s": tpot_s,
                "latency_basis": "bound",
                "range_basis": "draws",
                "attainment": kept,
                "gpu_hours_per_mtok": hours[at] / kept,
                "low_gpu_hours_per_mtok": min(low[at], hours[at]) / kept,
                # Where some draws cannot meet the contract at all, the cost has no upper end: the dearest that can.
                "high_gpu_hours_per_mtok": _upper(high[at], spread[at], hours[at]) / kept,
                "calibration": (CALIBRATION, "fitted_in_part", "fitted")[fitted],
            }


def _scenario(
    asked: Facts,
    bounds: list[NDArray[np.float64]],
    gpu: Facts,
    gpus: float,
    shape: Facts,
    shares: dict[str, Any],
) -> Scenario:
    """The question on one GPU at one dollar an hour, so that its cost is in GPU-hours; best values first, then the draws."""
    scenario = scenario_of(
        hardware=hardware_symbols(gpu, gpus=gpus, usd_per_gpu_hour=1.0),
        model=model_symbols(shape),
        workload=RequestShape(
            input_tokens=asked["input_tokens"],
            input_per_output=asked["input_tokens"] / asked["output_tokens"],
            context_tokens=_context_tokens(asked),
            arrival_rate_per_s=ARRIVAL_RATE_PER_S,
        ),
        contract=Contract(
            ttft_s=bounds[0],
            tpot_s=bounds[1],
            percentile=asked["percentile"] / 100.0,
            tpot_definition=DEFINITIONS[asked["tpot_definition"]],
        ),
        kv_bytes_per_s_per_gpu=gpu["nic_bytes_per_s"]
        * np.append(np.mean(ACHIEVED_LINK_SHARES), _draws("achieved_link_share", *ACHIEVED_LINK_SHARES)),
        setting=SETTING,
        efficiency=Efficiency(**shares),
    )
    # A share of a nominal link is drawn: the refinement that stands for its middle has to go.
    return replace(scenario, refinements=replace(scenario.refinements, achieved_link_share=1.0))


def _context_tokens(asked: Facts) -> float:
    """Mean length of a running sequence: the prompt and half of the answer."""
    return float(asked["input_tokens"] + asked["output_tokens"] / 2.0)


def _groups(fits: pl.DataFrame) -> Fits:
    """Fits of each GPU and model at 16 bits by GPU count (None: all counts pooled), of the engine with most points.

    Steps measured without a serving engine count only where no engine is fitted.
    """
    wide = fits.filter(pl.col("precision").is_in(SIXTEEN_BITS))
    key = ["gpu", "model", "engine", "precision"]
    most = (
        wide.group_by(key)
        .agg(points=pl.sum_horizontal("n_prefill", "n_decode").sum())
        .sort(pl.col("engine").ne_missing(REFERENCE_ENGINE), "points", "engine", descending=True)
        .unique(["gpu", "model"], keep="first", maintain_order=True)
    )
    groups: Fits = {}
    for row in wide.join(most, on=key, how="semi", nulls_equal=True).iter_rows(named=True):
        groups.setdefault((row["gpu"], row["model"]), {})[row["gpu_count"]] = row
    return groups


def _share(name: str, group: Mapping[int | None, Facts], gpus: float) -> tuple[tuple[float, float, float], bool]:
    """MFU or MBU with its range, and whether it is fitted: on as many GPUs, else on all counts pooled, else assumed.

    The fit is the one without an overhead, which the closed forms do not know.
    """
    names = (f"{name}_without_overhead", f"{name}_without_overhead_low", f"{name}_without_overhead_high")
    for count in (int(gpus), None):
        value, low, high = (group.get(count, {}).get(column) for column in names)
        if value is not None and low is not None and high is not None:
            return (value, low, high), True
    return ASSUMED[name], False


@cache
def _draws(name: str, low: float, high: float) -> NDArray[np.float64]:
    """The same in every question."""
    return draw(Uniform(low=low, high=high), name=name, seed=SEED, draws=DRAWS)


def _with_draws(name: str, share: tuple[float, float, float]) -> NDArray[np.float64]:
    """The value, then draws: half of them below it and half above, equally likely on each side."""
    value, low, high = share
    return np.append(value, np.interp(_draws(name, 0.0, 1.0), (0.0, 0.5, 1.0), (low, value, high)))


def _upper(high: float, spread: NDArray[np.float64], value: float) -> float:
    feasible = spread[np.isfinite(spread)]
    top = high if np.isfinite(high) else feasible.max(initial=value)
    return float(max(top, value))

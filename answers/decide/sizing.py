"""Systems sized to a rate in whole copies: how many it takes while every bound holds, and what an hour of them costs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from answers.decide.known import Facts, Known
from answers.decide.record import METRICS, PERCENTILES, ServingQuestion
from answers.decide.systems import colocated, decode_workers, engines_for, frame, pools, prefill_sizes
from assets.serving.engine_contract import held
from assets.serving.engine_curves import BOUNDS, Curves, curves, numbers, room_of
from assets.serving.engine_parts import UNKNOWN_NETWORK_BYTES_PER_S
from economics.units import Array

ACHIEVED_LINK_SHARE = (87 / 100 + 190 / 400) / 2
"""Of the nominal network, what transfers of keys and values reach: the middle of two. Source: Mooncake, FAST'25, Fig. 12."""
GBPS = 1e9 / 8.0
WORKERS_TOGETHER = 8
"""Decode workers of one set of pools at most: beyond it sets stand side by side."""
BEST_WORKERS = 3
"""Decode workers of which pools are made: those that decode cheapest."""
MORE_PREFILL = (0, 1, 2, 4)
"""Prefill workers above the fewest that keep up, so that prompts do not queue too long."""


@dataclass(frozen=True, eq=False)
class Field:
    """Systems with what they serve by load, and what a copy of each costs."""

    systems: pl.DataFrame
    """Columns of `systems.SCHEMA`."""
    curves: Curves
    bounds: dict[str, Array]
    """Seconds of each metric, (n,); what moving keys and values takes is taken off."""
    transfer_s: Array
    """(n,); 0 of colocated systems."""
    usd_per_hour: Array
    """Of one copy, (n,)."""

    def __len__(self) -> int:
        return self.systems.height

    def rows(self, places: NDArray[np.int64]) -> "Field":
        """The systems at these places."""
        found = self.curves
        parts = {
            name: getattr(found, name)[places]
            for name in (
                "concurrency",
                "requests_per_s",
                "ttft_s",
                "tpot_s",
                "e2e_s",
                "gpus",
                "output_tokens",
                "fits",
                "tail",
                "factor",
            )
        }
        return Field(
            systems=self.systems[places],
            curves=Curves(**parts, said=found.said[places]),
            bounds={name: values[places] for name, values in self.bounds.items()},
            transfer_s=self.transfer_s[places],
            usd_per_hour=self.usd_per_hour[places],
        )


def field_of(rows: list[Facts], q: ServingQuestion, known: Known) -> Field:
    """Systems with their curves and costs. `rows`: of `systems.colocated` and `systems.pools`."""
    systems = frame(rows)
    asked = q.bounds()
    transfer_s = _transfer_s(systems, q, known)
    bounds = {
        name: numbers(systems, f"{name}_s", otherwise=np.inf) - (transfer_s if name != "tpot" else 0.0) for name in METRICS
    }
    at = {f"{name}_percentile": PERCENTILES[asked[name][0]] if name in asked else 0.99 for name in METRICS}
    found = curves(
        systems.with_columns(**{name: pl.lit(value) for name, value in at.items()}),
        fit=known.evidence.fit,
        tails=known.tails,
    )
    return Field(
        systems=systems,
        curves=_as_measured(found, systems, known),
        bounds={name: np.maximum(values, 1e-9) for name, values in bounds.items()},
        transfer_s=transfer_s,
        usd_per_hour=_usd_per_hour(systems, known),
    )


def _as_measured(found: Curves, systems: pl.DataFrame, known: Known) -> Curves:
    """The curves corrected by the user's own table of runs, where there is one."""
    if not known.measured:
        return found

    def times(name: str) -> Array:
        by_gpu = {gpu: each.get(name, 1.0) for gpu, each in known.measured.items()}
        return systems["gpu"].replace_strict(by_gpu, default=1.0, return_dtype=pl.Float64).to_numpy()[:, None]

    slower, more = times("tpot_p50_s"), times("output_tokens_per_s_per_gpu")
    return replace(found, tpot_s=found.tpot_s * slower, e2e_s=found.e2e_s * slower, requests_per_s=found.requests_per_s * more)


def candidates(q: ServingQuestion, known: Known, gpus: Sequence[str]) -> list[Facts]:
    """Rows of every system that may serve the question: instances, and pools sized to the rate."""
    return candidates_of([q], known, gpus, workers_most=BEST_WORKERS, more=MORE_PREFILL)


def candidates_of(
    questions: Sequence[ServingQuestion], known: Known, gpus: Sequence[str], *, workers_most: int, more: Sequence[int]
) -> list[Facts]:
    """Rows of systems for several questions at once, told apart by `variant`; alike but in lengths, bounds and rate.

    `workers_most`: decode workers that pools are made of, by accelerator; `more`: prefill workers above the fewest.
    """
    q = questions[0]
    engines = engines_for(known, q)
    rows: list[Facts] = []
    workers: list[Facts] = []
    for variant, each in enumerate(questions):
        for gpu in gpus:
            if q.design != "disaggregated" and q.prefill_gpu is None:
                rows += [row | {"variant": variant} for row in colocated(known, each, gpu, engines[gpu])]
            if q.design != "colocated" and q.pp is None and each.output_tokens > 1:
                workers += [row | {"variant": variant} for row in decode_workers(known, each, gpu, engines[gpu])]
    return rows + _pools(q, known, workers, workers_most=workers_most, more=more)


def _pools(q: ServingQuestion, known: Known, workers: list[Facts], *, workers_most: int, more: Sequence[int]) -> list[Facts]:
    """Pools of the decode workers that decode cheapest, and as many prefill workers as keep up with them."""
    if not workers:
        return []
    alone = field_of(workers, q, known)
    free = {name: np.full(len(alone), np.inf) if name != "tpot" else alone.bounds["tpot"] for name in BOUNDS}
    rate = held(alone.curves, free)["requests_per_s"]
    wanted = alone.systems["request_rate_per_s"].to_numpy()
    gpus_needed = np.ceil(wanted / np.where(rate > 0.0, rate, np.nan)) * alone.curves.gpus
    best = (
        alone.systems.select("gpu", "variant", place=pl.int_range(pl.len()), needed=pl.Series(gpus_needed))
        .filter(pl.col("needed").is_finite())
        .sort("needed", maintain_order=True)
        .group_by("variant", "gpu", maintain_order=True)
        .head(workers_most)["place"]
    )
    sizes = {gpu: prefill_sizes(known, q, q.prefill_gpu or gpu) for gpu in set(alone.systems["gpu"])}
    pairs = [(workers[place], float(rate[place]), size) for place in best for size in sizes[workers[place]["gpu"]]]
    if not pairs:
        return []
    ones = [
        pools(worker, prefill_gpus=size, prefill_workers=1, workers=1, prefill_gpu=q.prefill_gpu) for worker, _, size in pairs
    ]
    busy_s = room_of(frame(ones), known.evidence.fit).prompt_s
    found = [
        pools(
            worker,
            prefill_gpus=size,
            prefill_workers=math.floor(share * seconds) + 1 + extra,
            workers=math.ceil(share / each) + another,
            prefill_gpu=q.prefill_gpu,
        )
        for (worker, each, size), seconds in zip(pairs, busy_s, strict=True)
        for share in (_share(worker["request_rate_per_s"], each),)
        for extra in more
        for another in (0, 1)
    ]
    return [row for row in found if q.gpus is None or row["gpus"] <= q.gpus]


def _share(wanted: float, rate: float) -> float:
    """Requests per second of one set of pools, whose decode workers serve `rate` each."""
    return wanted / max(math.ceil(math.ceil(wanted / rate) / WORKERS_TOGETHER), 1.0)


def _transfer_s(systems: pl.DataFrame, q: ServingQuestion, known: Known) -> Array:
    """What moving the keys and values of a prompt from a prefill worker takes; 0 where they stay."""
    row = known.evidence.fit.models.filter(pl.col("model") == q.model).row(0, named=True)
    tokens = pl.col("input_tokens")
    pairs = row["model_kv_layers"] * tokens + row["model_window_layers"] * pl.min_horizontal(tokens, row["model_window_tokens"])
    prompt_bytes = (row["model_kv_bytes_per_layer"] * pairs + row["model_state_bytes"]) * pl.col("kv_bytes_factor").fill_null(
        1.0
    )
    network = {gpu: float(facts["nic_bytes_per_s"] or UNKNOWN_NETWORK_BYTES_PER_S) for gpu, facts in known.gpus.items()}
    of_gpu = pl.coalesce("prefill_gpu", "gpu").replace_strict(network, return_dtype=pl.Float64)
    bytes_per_s = pl.lit(q.kv_gbps * GBPS) if q.kv_gbps else of_gpu
    lanes = pl.col("prefill_gpus") / pl.col("prefill_workers")
    seconds = prompt_bytes / (bytes_per_s * lanes * ACHIEVED_LINK_SHARE)
    return systems.select(pl.when(pl.col("disaggregated")).then(seconds).fill_null(0.0).cast(pl.Float64)).to_series().to_numpy()


def _usd_per_hour(systems: pl.DataFrame, known: Known) -> Array:
    rents = {gpu: float(rent["usd_per_gpu_hour"]) for gpu, rent in known.rents.items()}
    own = systems["gpu"].replace_strict(rents, default=None, return_dtype=pl.Float64)
    other = systems["prefill_gpu"].fill_null(systems["gpu"]).replace_strict(rents, default=None, return_dtype=pl.Float64)
    prefill = systems["prefill_gpus"].fill_null(0.0)
    return (own * (systems["gpus"] - prefill) + other * prefill).cast(pl.Float64).fill_null(float("nan")).to_numpy()


def copies_of(field: Field, *, slower: Array | float = 1.0) -> Array:
    """Copies of each system that hold its rate within its bounds, (n,); inf where it cannot meet them."""
    rate = held(field.curves, field.bounds, slower=slower)["requests_per_s"]
    wanted = field.systems["request_rate_per_s"].to_numpy()
    return np.where(np.isfinite(rate) & (rate > 0.0), np.ceil(wanted / np.where(rate > 0.0, rate, 1.0) - 1e-9), np.inf)


def at_load(field: Field, *, requests_per_s: Array) -> dict[str, Array]:
    """What requests of each system see at a load of one copy: concurrency, ttft, tpot, e2e at the percentiles of the bounds."""
    found: dict[str, Array] = {}
    usable = np.where(np.isfinite(field.curves.requests_per_s), field.curves.requests_per_s, np.inf)
    for name in ("concurrency", *BOUNDS):
        curve = field.curves.concurrency if name == "concurrency" else field.curves.bounded(name)
        values = np.array(
            [
                np.exp(
                    np.interp(
                        np.log(rate), np.log(np.maximum.accumulate(loads[np.isfinite(loads)])), np.log(row[np.isfinite(loads)])
                    )
                )
                if np.isfinite(loads).any() and np.isfinite(rate)
                else np.nan
                for rate, loads, row in zip(requests_per_s, usable, curve, strict=True)
            ]
        )
        found[name] = values + (field.transfer_s if name in ("ttft", "e2e") else 0.0)
    return found

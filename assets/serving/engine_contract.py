"""Capacity under a contract: the most that a system serves while TTFT, TPOT and the time of a whole request stay in bounds.

One truth for decisions, frontiers, surfaces and comparisons with API prices. Lay out the fit (`engine_answers.fit_of`) and the
measured tails (`tails_of`) once, then ask for a frame of systems, one row each:

    asked = systems.with_columns(ttft_s=2.0, tpot_s=0.05, percentile=0.99)
    capacity(asked, fit=fit, tails=tails)

A system is a row of RUN_COLUMNS without its load (concurrency, request_rate_per_s, requests): a colocated instance (`gpus`,
`tp`, `ep`, `pp`, `dp_attention`), or pools (`disaggregated`, `prefill_gpus`, `prefill_workers`, `prefill_dp_attention` and
`decode_*`, with `gpus` of both); columns of `engine_systems.OPTIONS` may stand beside (prefix cache, drafts, KV format, another
accelerator for prefill). Bounds are columns `ttft_s`, `tpot_s` and `e2e_s` (NULL or absent: none), each at `percentile`
or at `ttft_percentile`, `tpot_percentile`, `e2e_percentile`. `arrivals` is poisson (the default: requests come on their own
clock, and TTFT holds the wait in the queue) or closed (so many always in flight, as benchmarks send them).
Every step is vectorised: 24 predictions a system, some 100 us.
"""

import numpy as np
import polars as pl

from assets.serving.engine_answers import Fit
from assets.serving.engine_curves import BOUNDS, POINTS, Curves, curves, numbers
from economics.units import Array

FEWEST_GROUPS = 2
"""Models and accelerators from which an engine has a tail of its own; below it all engines together say it."""
UNKNOWN = "counts of the model's weights by group, the accelerator or a length are not known: it cannot be timed"
TOO_LARGE = "weights and one sequence do not fit into the memory"
BROKEN = "one request alone breaks a bound"
CAPACITY = {
    "feasible": pl.Boolean,
    "reason": pl.String,
    "limit": pl.String,
    "concurrency": pl.Float64,
    "requests_per_s": pl.Float64,
    "requests_per_s_low": pl.Float64,
    "requests_per_s_high": pl.Float64,
    "output_tokens_per_s_per_gpu": pl.Float64,
    "output_tokens_per_s_per_gpu_low": pl.Float64,
    "output_tokens_per_s_per_gpu_high": pl.Float64,
    "ttft_there_s": pl.Float64,
    "tpot_there_s": pl.Float64,
    "e2e_there_s": pl.Float64,
    "ttft_least_s": pl.Float64,
    "tpot_least_s": pl.Float64,
    "e2e_least_s": pl.Float64,
    "tpot_tail": pl.Float64,
    "factor": pl.Float64,
    "basis": pl.String,
    "nearest_run": pl.String,
    "distance": pl.Float64,
}
"""Columns of an answer.

limit: ttft, tpot, e2e or room (memory and scheduler), what gives first above the capacity. _there: at the capacity, at the
percentile asked for; _least: with one request in flight, the tightest bound that can be met. _low and _high: if all passes took
`factor` times as long, or as short; NULL where nothing was measured for the engine and family. tpot_tail: TPOT at its 99th
percentile over its median, as measured.
"""


def capacity(systems: pl.DataFrame, *, fit: Fit, tails: pl.DataFrame) -> pl.DataFrame:
    """The systems, in order, with CAPACITY: the largest load at which every bound holds, and what is served there.

    `systems`: see the module. A system that cannot meet its contract has feasible false, NULL figures, the bound that fails
    first as `limit`, and what it would need in `_least`.
    """
    timed = _can_be_timed(systems, fit)
    answers = _answers(systems.filter(timed), fit=fit, tails=tails)
    placed = pl.DataFrame({"row": np.arange(systems.height)}).join(
        answers.with_columns(row=pl.Series(np.flatnonzero(timed.to_numpy()))), on="row", how="left", maintain_order="left"
    )
    reason = pl.coalesce("reason", pl.when(pl.col("feasible").is_null()).then(pl.lit(UNKNOWN)))
    complete = placed.with_columns(reason=reason, feasible=pl.col("feasible").fill_null(value=False)).select(list(CAPACITY))
    return pl.concat([systems.drop(list(CAPACITY), strict=False), complete], how="horizontal")


def _can_be_timed(systems: pl.DataFrame, fit: Fit) -> pl.Series:
    """Whether counts of the model's weights, the accelerator and both lengths are known."""
    models, devices = (
        frame.drop_nulls(needed).select(name, "precision", pl.lit(value=True).alias(f"has_{name}"))
        for frame, name, needed in ((fit.models, "model", "model_layers"), (fit.devices, "gpu", "device_memory_bytes"))
    )
    found = systems.join(models, on=["model", "precision"], how="left", maintain_order="left").join(
        devices, on=["gpu", "precision"], how="left", maintain_order="left"
    )
    lengths = (pl.col("input_tokens") > 0) & (pl.col("output_tokens") > 0)
    return found.select((pl.col("has_model") & pl.col("has_gpu") & lengths).fill_null(value=False)).to_series()


def _answers(systems: pl.DataFrame, *, fit: Fit, tails: pl.DataFrame) -> pl.DataFrame:
    found = curves(systems, fit=fit, tails=tails)
    bounds = bounds_of(systems)
    there, low, high = (held(found, bounds, slower=found.factor**power) for power in (0.0, 1.0, -1.0))
    feasible = np.isfinite(there["requests_per_s"])
    per_gpu = found.output_tokens / found.gpus
    columns = {
        "feasible": feasible,
        "limit": pl.Series([*BOUNDS, "room"]).gather(there["limit"].astype(np.int64)),
        "concurrency": there["concurrency"],
        "requests_per_s": there["requests_per_s"],
        "output_tokens_per_s_per_gpu": there["requests_per_s"] * per_gpu,
        **{f"{name}_there_s": there[name] for name in BOUNDS},
        **{f"{name}_least_s": found.bounded(name)[:, 0] for name in BOUNDS},
        "tpot_tail": found.tail,
        "factor": found.factor,
    }
    for end, values in (("low", low), ("high", high)):
        rate = np.where(np.isfinite(found.factor), np.nan_to_num(values["requests_per_s"]), np.nan)
        columns |= {f"requests_per_s_{end}": rate, f"output_tokens_per_s_per_gpu_{end}": rate * per_gpu}
    too_large = pl.when(pl.Series(~found.fits)).then(pl.lit(TOO_LARGE))
    answer = pl.DataFrame(columns).with_columns(
        pl.selectors.float().fill_nan(None),
        reason=pl.when(pl.col("feasible")).then(None).otherwise(pl.coalesce(too_large, pl.lit(BROKEN))),
    )
    return pl.concat([answer, found.said], how="horizontal").select(list(CAPACITY))


def bounds_of(systems: pl.DataFrame) -> dict[str, Array]:
    """Bounds in seconds by name of BOUNDS, (n,) each; inf where there is none."""
    return {name: numbers(systems, f"{name}_s", otherwise=np.inf) for name in BOUNDS}


def held(found: Curves, bounds: dict[str, Array], *, slower: Array | float = 1.0) -> dict[str, Array]:
    """The largest load of each system at which the bounds hold, if all passes took `slower` times as long.

    (n,) each: concurrency, requests_per_s, ttft, tpot, e2e there (NaN where no load holds), and `limit`, the place in BOUNDS of
    what gives first; len(BOUNDS) for the room. Times that are f times as long meet a bound b where the plain ones meet b/f.
    """
    factor = np.broadcast_to(np.asarray(slower, dtype=np.float64), found.gpus.shape)
    over = np.stack([_over(found.bounded(name), bounds[name] / factor) for name in BOUNDS])
    room_over = np.where(np.isfinite(found.requests_per_s), -np.inf, np.inf)
    holds = (over.max(axis=0) <= 0.0) & (room_over < 0.0)
    any_holds = holds.any(axis=1)
    last = np.where(any_holds, POINTS - 1 - np.argmax(holds[:, ::-1], axis=1), 0)
    rows, following = np.arange(len(last)), np.minimum(last + 1, POINTS - 1)
    before, after = over[:, rows, last], over[:, rows, following]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(after > 0.0, -before / (after - before), 1.0)
    share = np.where(np.isfinite(share), np.clip(share, 0.0, 1.0), 0.0)
    full = (room_over[rows, following] > 0.0) & (share.min(axis=0) > 0.0)  # the room ends between two loads: the lower counts
    at = np.where(full, 0.0, share.min(axis=0))
    limit = np.where((share.min(axis=0) < 1.0) & ~full, share.argmin(axis=0), len(BOUNDS))
    limit = np.where(any_holds, limit, np.where(found.fits, over[:, :, 0].argmax(axis=0), len(BOUNDS)))

    def there(curve: Array) -> Array:
        low, high = curve[rows, last], curve[rows, following]
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.exp(np.log(low) + np.where(at > 0.0, at * (np.log(high) - np.log(low)), 0.0))
        return np.where(any_holds, value, np.nan)

    return {
        "concurrency": there(found.concurrency),
        "requests_per_s": there(found.requests_per_s) / factor,
        **{name: there(found.bounded(name)) * factor for name in BOUNDS},
        "limit": limit,
    }


def _over(curve: Array, bound: Array) -> Array:
    """How far a curve is above its bound, as a logarithm: below 0 it holds; NaN of either holds nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        over = np.log(curve) - np.log(bound)[:, None]
    return np.where(np.isposinf(bound)[:, None], -np.inf, np.where(np.isnan(over), np.inf, over))


def tails_of(engine_run: pl.DataFrame, operating_point: pl.DataFrame) -> pl.DataFrame:
    """TPOT at its 99th percentile over its median, measured: by kind of load, engine and family, and of all engines together.

    Returns kind, engine, family (NULL: all), ratio (median of the medians of models and accelerators), low and high (their 10th
    and 90th percentile), groups, runs. `engine_run`, `operating_point`: the contracts of those names.
    """
    both = (
        engine_run.filter("usable")
        .select("run_id", "kind", "engine", "family", "model", "gpu")
        .join(operating_point.select("run_id", "tpot_p50_s", "tpot_p99_s"), on="run_id")
        .filter(pl.col("tpot_p50_s") > 0, pl.col("tpot_p99_s") >= pl.col("tpot_p50_s"))
        .with_columns(ratio=pl.col("tpot_p99_s") / pl.col("tpot_p50_s"), kind=pl.col("kind").cast(pl.String))
    )
    each = both.group_by("kind", "engine", "family", "model", "gpu").agg(pl.col("ratio").median(), runs=pl.len())
    figures = {
        "low": pl.col("ratio").quantile(0.1, "linear"),
        "high": pl.col("ratio").quantile(0.9, "linear"),
        "groups": pl.len(),
        "runs": pl.col("runs").sum(),
    }
    named = each.group_by("kind", "engine", "family").agg(pl.col("ratio").median().alias("middle"), **figures)
    together = each.group_by("kind").agg(pl.col("ratio").median().alias("middle"), **figures)
    return (
        pl.concat([named.filter(pl.col("groups") >= FEWEST_GROUPS).drop_nulls("engine"), together], how="diagonal")
        .rename({"middle": "ratio"})
        .sort("kind", "engine", "family", nulls_last=True)
    )

"""What systems serve by their load, up to all there is room for: what capacity under a contract is read from."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from assets.serving.engine_answers import Fit, answered
from assets.serving.engine_parts import family
from assets.serving.engine_runs import COUNTS, FLAGS, LOADS, NAMES, RUN_COLUMNS, with_parts
from assets.serving.engine_systems import OPTIONS, Room, room
from economics.serving.engine_fit import PRIOR_LAYER_S
from economics.serving.queueing import wait_s
from economics.units import Array

POINTS = 24
"""Loads at which a system is predicted, from one request in flight to all there is room for."""
BOUNDS = ("ttft", "tpot", "e2e")
PERCENTILE = 0.99
LOW_LOAD = 4.0
"""Requests in flight of an instance at which nothing waits and most runs were measured: where the first token is read."""
POOLS_IN_FLIGHT = 2.0
"""Requests in flight over those that decode: the others are in prefill."""


@dataclass(frozen=True, eq=False)
class Curves:
    """What systems serve by their load, (n, POINTS) each unless said otherwise; NaN beyond the room there is."""

    concurrency: Array
    """Requests in flight of the whole system."""
    requests_per_s: Array
    ttft_s: Array
    """At the percentile of the bound, with the wait in the queue."""
    tpot_s: Array
    e2e_s: Array
    gpus: Array
    """Accelerators of each system, (n,)."""
    output_tokens: Array
    """(n,)."""
    fits: NDArray[np.bool_]
    """Whether weights and one sequence fit, (n,)."""
    tail: Array
    """TPOT at the percentile over its median, (n,)."""
    factor: Array
    """Times that a pass may be off, (n,); NaN where unknown."""
    said: pl.DataFrame
    """basis, nearest_run and distance of each system, at the middle of its loads."""

    def bounded(self, name: str) -> Array:
        """The curve of a bound: ttft, tpot or e2e."""
        return {"ttft": self.ttft_s, "tpot": self.tpot_s, "e2e": self.e2e_s}[name]


def curves(systems: pl.DataFrame, *, fit: Fit, tails: pl.DataFrame) -> Curves:
    """What each system serves at POINTS loads.

    `systems`: as of `engine_contract`, of known models and accelerators; `tails`: of `engine_contract.tails_of`.
    """
    runs, count = _runs(systems), systems.height
    limits = room_of(runs, fit)
    pools, poisson = runs["disaggregated"].fill_null(value=False).to_numpy(), ~_closed(systems)
    most = np.maximum(limits.sequences, 1.0) * limits.instances * np.where(pools, POOLS_IN_FLIGHT, 1.0)
    loads = np.geomspace(np.ones(count), most, POINTS, axis=1)
    answers = answered(runs[np.repeat(np.arange(count), POINTS)].with_columns(concurrency=pl.Series(loads.ravel())), fit)

    def predicted(name: str) -> Array:
        return _floats(answers[f"{name}_predicted"]).reshape(count, POINTS)

    said = answers[np.arange(count) * POINTS + POINTS // 2]
    gpus, tokens = _floats(said["counted_gpus"]), _floats(runs["output_tokens"])
    tail = _tails(runs, tails, poisson=poisson)
    share = {name: _percentiles(systems, name) for name in BOUNDS}
    rate = predicted("output_tokens_per_s_per_gpu") * (gpus / tokens)[:, None]
    tpot, in_loop = predicted("tpot_p50_s"), (predicted("ttft_p50_s"), predicted("ttft_p99_s"))
    queue = _Queue(limits=limits, loads=loads, rate=rate, tpot=tpot, pools=pools)

    def first_token(percentile: Array) -> Array:
        early, late = in_loop
        of_loop = early * np.maximum(late / early, 1.0) ** spread(percentile)[:, None]
        return np.where(poisson[:, None], _first_token_s(queue, early, percentile), of_loop)

    def token(percentile: Array) -> Array:
        return tpot * (tail ** spread(percentile))[:, None]

    following = np.maximum(tokens - 1.0, 0.0)[:, None]
    return Curves(
        concurrency=loads,
        requests_per_s=np.where(_crowded(queue, share["ttft"], poisson=poisson), np.nan, rate),
        ttft_s=first_token(share["ttft"]),
        tpot_s=token(share["tpot"]),
        # One tail at a time: a request that waits long need not be one that is answered slowly.
        e2e_s=np.maximum(
            first_token(share["e2e"]) + following * tpot, first_token(np.full(count, 0.5)) + following * token(share["e2e"])
        ),
        gpus=gpus,
        output_tokens=tokens,
        fits=limits.sequences >= 1.0,
        tail=tail,
        factor=_floats(said["tpot_p50_s_high"] / said["tpot_p50_s_predicted"]),
        said=said.select("basis", "nearest_run", "distance"),
    )


def spread(percentile: Array) -> Array:
    """A percentile in standard deviations above the median, as a share of the 99th's: logarithms of tails grow with it."""
    return np.maximum(ndtri(percentile), 0.0) / ndtri(PERCENTILE)


@dataclass(frozen=True, eq=False)
class _Queue:
    """What decides whether a prompt waits, (n, POINTS) but for the limits and `pools` (n,)."""

    limits: Room
    loads: Array
    rate: Array
    tpot: Array
    pools: NDArray[np.bool_]


def _first_token_s(queue: _Queue, ttft_s: Array, percentile: Array) -> Array:
    """TTFT of arrivals at the percentile: the first token where nothing waits, the steps it shares, and the queue for prefill.

    A busy server takes its prompts together; where it decodes as well a step comes between.
    """
    limits, rows = queue.limits, np.arange(len(queue.loads))
    calm = np.minimum(LOW_LOAD * limits.instances, queue.loads[:, -1])
    place = np.argmin(np.abs(np.log(queue.loads / calm[:, None])), axis=1)
    alone_s = ttft_s[rows, place][:, None] + np.maximum(queue.tpot - queue.tpot[rows, place][:, None], 0.0)
    apart = queue.pools[:, None]
    work_s = limits.prompt_s[:, None] + np.where(apart, 0.0, queue.tpot / limits.prompts_at_once[:, None])
    servers = np.where(queue.pools, limits.prefillers, limits.instances)[:, None]
    waiting_s = wait_s(
        service_s=work_s,
        servers=np.where(apart, servers, 1.0),  # colocated instances have a queue each
        utilisation=queue.rate * work_s / servers,
        percentile=percentile[:, None],
    )
    seconds: Array = alone_s + waiting_s
    return seconds


def _crowded(queue: _Queue, percentile: Array, *, poisson: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether there is no room, (n, POINTS): weights do not fit, or arrivals at the percentile need more places."""
    running = np.where(queue.pools[:, None], 0.0, queue.loads / queue.limits.instances[:, None])
    needed = running + np.maximum(ndtri(percentile), 0.0)[:, None] * np.sqrt(running)
    room_for = queue.limits.sequences[:, None]
    crowded: NDArray[np.bool_] = (room_for < 1.0) | (poisson[:, None] & (running > 1.0) & (needed > room_for))
    return crowded


def room_of(systems: pl.DataFrame, fit: Fit) -> Room:
    """Memory and prefill of each system of known models and accelerators."""
    runs = systems if "counts_decode_gpus" in systems.columns else _runs(systems)
    parts = with_parts(runs.with_columns(family=family()), models=fit.models, devices=fit.devices).join(
        fit.cells, on=["engine", "family"], how="left", nulls_equal=True, maintain_order="left"
    )
    return room(parts, layer_s=parts["layer_s"].fill_null(PRIOR_LAYER_S).to_numpy())


def _runs(systems: pl.DataFrame) -> pl.DataFrame:
    """RUN_COLUMNS of systems that have no load yet."""
    kinds = {
        **dict.fromkeys(NAMES, pl.String),
        **dict.fromkeys((*COUNTS, *LOADS), pl.Float64),
        **dict.fromkeys(FLAGS, pl.Boolean),
    }
    given = set(systems.columns) - {"concurrency", "request_rate_per_s", "requests"}
    return systems.select(
        *((pl.col(name) if name in given else pl.lit(None)).cast(kinds[name]).alias(name) for name in RUN_COLUMNS),
        *(name for name in OPTIONS if name in given),
    ).with_columns(pl.col("disaggregated", "drafts").fill_null(value=False), counts_decode_gpus=pl.lit(value=False))


def _tails(runs: pl.DataFrame, tails: pl.DataFrame, *, poisson: NDArray[np.bool_]) -> Array:
    pools = pl.when(pl.col("disaggregated")).then(pl.lit("pools"))
    kind = pools.when(pl.Series(poisson)).then(pl.lit("rate")).otherwise(pl.lit("closed"))
    asked = runs.select("engine", family=family(), kind=kind)
    own = tails.drop_nulls("engine").select("kind", "engine", "family", "ratio")
    together = tails.filter(pl.col("engine").is_null()).select("kind", of_all="ratio")
    found = asked.join(own, on=["kind", "engine", "family"], how="left", maintain_order="left").join(
        together, on="kind", how="left", maintain_order="left"
    )
    return found.select(pl.coalesce("ratio", "of_all").fill_null(1.0)).to_series().to_numpy()


def _percentiles(systems: pl.DataFrame, bound: str) -> Array:
    plain = numbers(systems, "percentile", otherwise=PERCENTILE)
    own = numbers(systems, f"{bound}_percentile", otherwise=np.nan)
    return np.where(np.isnan(own), plain, own)


def _closed(systems: pl.DataFrame) -> NDArray[np.bool_]:
    if "arrivals" not in systems.columns:
        return np.zeros(systems.height, dtype=np.bool_)
    return (systems["arrivals"].fill_null("poisson") == "closed").to_numpy()


def numbers(systems: pl.DataFrame, name: str, *, otherwise: float) -> Array:
    """A column of numbers; `otherwise` where it is absent or NULL."""
    if name not in systems.columns:
        return np.full(systems.height, otherwise)
    return systems[name].cast(pl.Float64).fill_null(otherwise).to_numpy()


def _floats(values: pl.Series) -> Array:
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()

"""What a token within its contract costs in three designs of a real engine, and where two of them cost the same.

The forms of `economics.serving.cost` on the fitted step times of `engine_time`. A deployment may be spread in several ways
(more GPUs, attention data parallel): they lie on the last axis, and each design takes the cheapest that meets the contract,
each pool its own. All arrays broadcast; the result has no last axis. Prompts are computed one by one in every design, and
pools are divisible: costs are those at scale. Seconds, dollars, tokens.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when first used

from economics.numeric.root import falling_root
from economics.serving.engine_time import Instance, decode_s, most_sequences, prefill_s, sequence_bytes
from economics.serving.queueing import idle_servers, replicas
from economics.units import Array, Flag, Real

CHUNK_UTILISATION = 0.9
"""u_c: share of the chunk budget that the TTFT bound allows to fill."""
PERCENTILE = 0.99
"""Share of requests, or of intervals between tokens, within the bounds."""
SEQUENCES_MOST = 1024.0
"""Sequences one scheduler runs at once. Source: default of the engines, as `predict` takes it."""
GPUS_OF_A_SCHEDULER = 8.0
"""GPUs of data-parallel attention that one scheduler serves."""
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Replica:
    """A model on the GPUs of one replica under an engine, in each way that it may be spread (last axis)."""

    instance: Instance
    usd_per_s: Real
    input_tokens: Real
    prompt_s: Real
    """One prompt alone."""
    context_tokens: Real
    most: Real
    """B_max, at least 1; 0 where the weights or one sequence do not fit."""
    exposed_bytes: Real
    """KV of one prompt."""
    colocated_reached: Real = 1.0
    """Measured over predicted rate of this engine where prefill and decode share GPUs."""
    pools_reached: Real = 1.0
    """The same where they have pools of their own."""

    @property
    def first_s(self) -> Real:
        """Time to first token of a prompt that does not wait."""
        return self.instance.constants.first_token_s + self.prompt_s


@dataclass(frozen=True, eq=False)
class DesignCost:
    """Cost per output token by term, $; inf where no spread meets the contract."""

    prefill: Array
    decode: Array
    kv_tax: Array

    @property
    def usd(self) -> Array:
        """The sum."""
        return self.prefill + self.decode + self.kv_tax


def replica(
    instance: Instance,
    *,
    usd_per_gpu_hour: Real,
    input_tokens: Real,
    context_tokens: Real,
    colocated_reached: Real = 1.0,
    pools_reached: Real = 1.0,
) -> Replica:
    """A replica at prompts of one length and running sequences of a mean length. $ per GPU-hour, tokens, tokens."""
    split = instance.split
    schedulers = np.maximum(split.attention_data_parallel * split.gpus / GPUS_OF_A_SCHEDULER, 1.0)
    most = most_sequences(instance, context_tokens=context_tokens, most=SEQUENCES_MOST * schedulers)
    return Replica(
        instance=instance,
        usd_per_s=usd_per_gpu_hour * split.gpus * split.stages / 3600.0,
        input_tokens=input_tokens,
        prompt_s=prefill_s(instance, prompts=1.0, input_tokens=input_tokens),
        context_tokens=context_tokens,
        most=np.where(np.greater_equal(most, 1.0), most, 0.0),
        exposed_bytes=sequence_bytes(instance.model, tokens=input_tokens),
        colocated_reached=colocated_reached,
        pools_reached=pools_reached,
    )


@dataclass(frozen=True, eq=False)
class _Crowd:
    instance: Instance
    context_tokens: Real
    step_s: Real
    each_s: Real
    root_s: Real


def running_within(of: Replica, *, step_s: Real, each_s: Real = 0.0, root_s: Real = 0.0) -> Array:
    """Largest B up to B_max with T_dec(B) + B each_s + sqrt(B) root_s <= step_s; 0 where not even one sequence fits.

    Seconds a step. Source: formula S6 with the step of S17, by a bracketing search.
    """

    def gap(log_batch: Array, crowd: _Crowd) -> Real:
        batch = np.exp(log_batch)
        decode = decode_s(crowd.instance, sequences=batch, context_tokens=crowd.context_tokens)
        return crowd.step_s - decode - batch * crowd.each_s - np.sqrt(batch) * crowd.root_s

    def step(batch: Real) -> Real:
        return decode_s(of.instance, sequences=batch, context_tokens=of.context_tokens)

    most = np.maximum(of.most, 1.0)
    alone_s = step(np.ones_like(most))
    slope = (step(most) - alone_s) / np.maximum(most - 1.0, 1e-9) + each_s
    with np.errstate(divide="ignore", invalid="ignore"):
        guess = np.clip(1.0 + (step_s - alone_s - each_s) / np.maximum(slope, 1e-12), 1.0, most)
    found = falling_root(
        gap,
        low=0.0,
        high=np.log(most),
        start=np.log(guess),
        state=_Crowd(of.instance, of.context_tokens, step_s, each_s, root_s),
        tolerance=_TOLERANCE,
        gap_tolerance=_TOLERANCE,
    )
    batch = np.where(np.isneginf(found), 0.0, np.minimum(np.exp(np.maximum(found, 0.0)), most))
    return np.where(np.greater(of.most, 0.0), batch, 0.0)


def chunked_cost(of: Replica, *, input_per_output: Real, ttft_s: Real, tpot_s: Real) -> DesignCost:
    """Chunked colocation: T_dec(B) + B s/(u_c o) <= S_tpot, and prompts get the share of each step they need for S_ttft.

    Source: formulas S1 and S7 with the steps of S17.
    """
    per_token_s = of.prompt_s * input_per_output / of.input_tokens
    room_s = np.maximum(ttft_s - of.instance.constants.first_token_s, 1e-9)
    batch = running_within(of, step_s=tpot_s, each_s=per_token_s / CHUNK_UTILISATION)
    beside = running_within(of, step_s=tpot_s * np.maximum(1.0 - of.prompt_s / room_s, 0.0))
    batch = np.where(np.greater_equal(beside, 1.0), np.minimum(batch, beside), 0.0)
    return _colocated(of, batch=batch, per_token_s=per_token_s, ttft_s=ttft_s)


def unchunked_cost(
    of: Replica,
    *,
    input_per_output: Real,
    ttft_s: Real,
    tpot_s: Real,
    percentile: Real = PERCENTILE,
    tpot_definition: str = "per_token_p99",
) -> DesignCost:
    """Unchunked colocation: a whole prompt stalls a step, which the bound feels as its definition reads TPOT.

    per_request_mean: the stalls of a request are Poisson; per_token_p99: stalled steps may break the bound where they are
    rare; worst_tenth_mean: they are averaged over the slowest tenth of the steps.
    Source: formula S1 with the steps of S17; `economics.serving.batch_limits` has the definitions.
    """
    per_token_s = of.prompt_s * input_per_output / of.input_tokens
    output_tokens = of.input_tokens / input_per_output
    if tpot_definition == "per_request_mean":
        deviations = scipy.special.ndtri(np.maximum(percentile, 0.5))
        batch = running_within(of, step_s=tpot_s, each_s=per_token_s, root_s=deviations * per_token_s)
    else:
        one_s = tpot_s - of.prompt_s
        stalled = np.minimum(running_within(of, step_s=one_s), running_within(of, step_s=tpot_s, each_s=per_token_s))
        if tpot_definition == "worst_tenth_mean":
            others = np.minimum(running_within(of, step_s=tpot_s, each_s=10.0 * per_token_s), 0.1 * output_tokens)
        else:
            others = np.minimum(running_within(of, step_s=tpot_s), (1.0 - percentile) * output_tokens)
        batch = np.maximum(stalled, others)
    return _colocated(of, batch=np.where(batch >= 1.0, batch, 0.0), per_token_s=per_token_s, ttft_s=ttft_s)


def _colocated(of: Replica, *, batch: Array, per_token_s: Real, ttft_s: Real) -> DesignCost:
    possible = np.greater(batch, 0.0) & np.greater(ttft_s, of.first_s)
    usd_per_s = of.usd_per_s / of.colocated_reached
    return _cheapest(prefill=usd_per_s * per_token_s, decode=usd_per_s * _token_s(of, batch), kv_tax=0.0, possible=possible)


def decode_pool_usd(of: Replica, *, tpot_s: Real) -> Array:
    """Decode pool of a disaggregated deployment, $ per output token; inf where no spread meets the bound.

    Source: formulas S1 and S6 with the steps of S17.
    """
    batch = running_within(of, step_s=tpot_s)
    usd = of.usd_per_s / of.pools_reached * _token_s(of, batch)
    return least(usd, np.greater(batch, 0.0))


def prefill_pool_usd(
    of: Replica,
    *,
    arrival_rate_per_s: Real,
    kv_bytes_per_s_per_gpu: Real,
    ttft_s: Real,
    percentile: Real = PERCENTILE,
) -> tuple[Array, Array]:
    """Prefill pool and KV transfer, $ per input token each; inf where no spread meets the TTFT bound.

    Source: formulas S1 and S8 with the steps of S17.
    """
    transfer_s = _transfer_s(of, kv_bytes_per_s_per_gpu)
    utilisation = _utilisation(
        of, arrival_rate_per_s=arrival_rate_per_s, transfer_s=transfer_s, ttft_s=ttft_s, percentile=percentile
    )
    held = of.usd_per_s / of.input_tokens
    with np.errstate(divide="ignore"):
        prefill = held / of.pools_reached * of.prompt_s / utilisation
    chosen = _cheapest(prefill=prefill, decode=0.0, kv_tax=held * transfer_s, possible=np.greater(utilisation, 0.0))
    return chosen.prefill, chosen.kv_tax


def break_even_rate(of: Replica, *, affordable_usd: Real, kv_bytes_per_s_per_gpu: Real, ttft_s: Real) -> Array:
    """Arrival rate above which a prefill pool costs less than `affordable_usd`, $ per input token: 0 always, inf never.

    Source: formula S9 with the steps of S17.
    """
    transfer_s = _transfer_s(of, kv_bytes_per_s_per_gpu)
    idle = idle_servers(slack_s=ttft_s - of.first_s - transfer_s, service_s=of.prompt_s, percentile=PERCENTILE)
    held = of.usd_per_s / of.input_tokens
    with np.errstate(divide="ignore", invalid="ignore"):
        utilisation = held / of.pools_reached * of.prompt_s / (affordable_usd - held * transfer_s)
        fewest = np.floor(idle / (1.0 - utilisation)) + 1.0
        rate = np.maximum(fewest - 1.0 - idle, 0.0) / of.prompt_s
    pays = np.greater_equal(utilisation, 0.0) & np.less(utilisation, 1.0) & np.isfinite(idle) & np.greater(of.most, 0.0)
    return least(rate, pays)


def break_even_bandwidth(
    of: Replica, *, affordable_usd: Real, arrival_rate_per_s: Real, kv_bytes_per_s_per_gpu: Real, ttft_s: Real
) -> Array:
    """KV bandwidth per GPU above which a prefill pool costs less than `affordable_usd`, $ per input token: 0 always, inf never.

    The pool keeps the replicas it has at `kv_bytes_per_s_per_gpu`. Source: formula S9 with the steps of S17.
    """
    room_s = ttft_s - of.first_s
    held = of.usd_per_s / of.input_tokens
    pool_usd = held / of.pools_reached * of.prompt_s
    with np.errstate(divide="ignore", invalid="ignore"):
        servers, at_once = (
            _servers(of, arrival_rate_per_s=arrival_rate_per_s, ttft_s=ttft_s, transfer_s=transfer_s)
            for transfer_s in (_transfer_s(of, kv_bytes_per_s_per_gpu), 0.0)
        )
        servers = np.where(np.isfinite(servers), servers, np.where(np.isfinite(at_once), at_once, 1.0))
        # pool_usd (1 + w / (Z - t)) + held t <= affordable, with w the idle servers over the pool and Z = room - w.
        wait_s = idle_servers(slack_s=1.0, service_s=of.prompt_s, percentile=PERCENTILE) / servers
        left_s, gain = room_s - wait_s, affordable_usd - pool_usd
        linear, surplus = gain + held * left_s, gain * left_s - pool_usd * wait_s
        longest_s = 2.0 * np.maximum(surplus, 0.0) / (linear + np.sqrt(np.maximum(linear**2 - 4.0 * held * surplus, 0.0)))
        longest_s = np.where(np.isposinf(affordable_usd), np.maximum(left_s, 0.0), longest_s)
        bandwidth = of.exposed_bytes / longest_s / of.instance.split.gpus
    pays = np.greater(longest_s, 0.0) & np.greater(left_s, 0.0) & np.greater(gain, 0.0) & np.greater(of.most, 0.0)
    return least(bandwidth, pays)


def crossing(gap: Array, line: Array, *, below: bool = False) -> Array:
    """Where along its last axis, on a line of rising places, disaggregation becomes cheaper for good.

    `gap`: (..., n), log of disaggregated over colocated cost; NaN where neither is possible. Returns 0 where it is cheaper
    everywhere, inf where nowhere, NaN where no place has a figure, -inf where the cheaper design changes more than once or
    the other way; between two places of `line` by interpolation in logs. `below`: where it stops to be cheaper: inf where it
    is everywhere, 0 where nowhere.
    """
    places = np.log(line)
    known = ~np.isnan(gap)
    wins = known & (np.nan_to_num(gap, nan=np.inf) < 0.0)
    losses = known & ~wins
    # The last place of the side that comes first, and the first place of the other: in order they are a single change.
    first, second = (wins, losses) if below else (losses, wins)
    last = len(places) - 1
    ends = last - np.argmax(first[..., ::-1], axis=-1)
    begins = np.argmax(second, axis=-1)
    left, right = ends[..., None], np.minimum(ends + 1, last)[..., None]
    before, after = (np.take_along_axis(gap, place, axis=-1)[..., 0] for place in (left, right))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip(np.nan_to_num(before / (before - after), nan=0.5), 0.0, 1.0)
    found = np.exp(places[left[..., 0]] + share * (places[right[..., 0]] - places[left[..., 0]]))
    has_first, has_second = first.any(axis=-1), second.any(axis=-1)
    between = np.where(begins > ends, found, -np.inf)
    return np.where(has_first & has_second, between, np.where(has_first, np.inf, np.where(has_second, 0.0, np.nan)))


def least(values: Real, among: Flag) -> Array:
    """The least over spreads of those that are possible; inf where none is."""
    found: Array = np.min(np.where(among, values, np.inf), axis=-1)
    return found


def _token_s(of: Replica, batch: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return decode_s(of.instance, sequences=np.maximum(batch, 1e-9), context_tokens=of.context_tokens) / batch


def _transfer_s(of: Replica, kv_bytes_per_s_per_gpu: Real) -> Real:
    return of.exposed_bytes / (kv_bytes_per_s_per_gpu * of.instance.split.gpus)


def _servers(of: Replica, *, arrival_rate_per_s: Real, ttft_s: Real, transfer_s: Real, percentile: Real = PERCENTILE) -> Real:
    slack_s = ttft_s - of.first_s - transfer_s
    return replicas(arrival_rate_per_s=arrival_rate_per_s, slack_s=slack_s, service_s=of.prompt_s, percentile=percentile)


def _utilisation(of: Replica, *, arrival_rate_per_s: Real, transfer_s: Real, ttft_s: Real, percentile: Real) -> Real:
    servers = _servers(of, arrival_rate_per_s=arrival_rate_per_s, ttft_s=ttft_s, transfer_s=transfer_s, percentile=percentile)
    idle = idle_servers(slack_s=ttft_s - of.first_s - transfer_s, service_s=of.prompt_s, percentile=percentile)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.greater(of.most, 0.0), np.fmax(1.0 - idle / servers, 0.0), 0.0)


def _cheapest(*, prefill: Real, decode: Real, kv_tax: Real, possible: Flag) -> DesignCost:
    """The terms of the cheapest spread that is possible; inf where none is."""
    with np.errstate(invalid="ignore"):
        total = np.where(possible, prefill + decode + kv_tax, np.inf)
    at = np.argmin(total, axis=-1)[..., None]
    none = ~np.isfinite(np.take_along_axis(total, at, axis=-1)[..., 0])

    def of_chosen(term: Real) -> Array:
        chosen = np.take_along_axis(np.broadcast_to(term, total.shape), at, axis=-1)[..., 0]
        return np.where(none, np.inf, chosen)

    return DesignCost(*(of_chosen(term) for term in (prefill, decode, kv_tax)))

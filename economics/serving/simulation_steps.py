"""The steps of serving replicas, request by request, compiled. `economics.serving.simulation` says what they model.

Time advances step by step, but equal decode steps in a row are taken at once: the step at which a sequence ends is known
when it starts to decode. So the work grows with the number of requests and chunks, not with the number of tokens.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from economics.units import Array

Counts = NDArray[np.int64]

NONE = -1

compiled = numba.njit(nogil=True, cache=True)


REQUEST = np.dtype(
    [
        ("arrival_s", np.float64),
        ("prompt_tokens", np.int64),  # 0: computed elsewhere, the request only decodes here
        ("decode_tokens", np.int64),  # what decode steps yield; the last step of the prompt yields one token more
        ("start_s", np.float64),
        ("first_token_s", np.float64),
        ("finish_s", np.float64),
        ("following", np.int64),  # the request behind it in the queue, or NONE
    ]
)

REPLICA = np.dtype(
    [
        ("end_s", np.float64),  # of the step in flight; inf: idle
        ("batch", np.int64),  # sequences that decode
        ("decode_steps", np.int64),  # so far, with those in flight
        ("decoding", np.bool_),  # whether the step in flight decodes
        ("joining", np.int64),  # prompts at the head of the queue that the step in flight completes
        ("prompt_left", np.int64),  # tokens still to compute of the prompt behind those; NONE: not begun
        ("held", np.int64),  # requests waiting, computed or decoding
        ("head", np.int64),  # of the queue, or NONE
        ("tail", np.int64),
        ("run_start_s", np.float64),  # of a run of equal decode steps,
        ("run_steps", np.int64),  # how many there are, with those in flight,
        ("run_batch", np.int64),  # and their batch; NONE: there is no run
        ("busy_s", np.float64),
    ]
)


class Pieces(NamedTuple):
    """Where the pieces of a curve of `economics.serving.step_curves` lie among the knots of a pace."""

    first: int
    pieces: int
    every: int


class Pace(NamedTuple):
    """How long a step takes and what fits into it.

    The curves share one array: each array that a compiled call is handed costs more than the look-up.
    """

    knots: Array
    """(pieces, 2): where a piece starts and how it rises, seconds."""
    decode: Pieces
    """By sequences."""
    prompt: Pieces
    """A pass, by its prompt tokens."""
    attention: Pieces
    """What the first tokens of a prompt take besides in all, by their number."""
    max_sequences: int
    step_tokens: int
    """Most tokens of a mixed step, decoded and computed; 0: a prompt is computed whole, and decode waits."""
    prompt_batch_tokens: int
    """Where prompts are computed whole: most tokens of prompts that are computed together; 0: one at a time."""


@compiled
def _at(knots: Array, curve: Pieces, count: int) -> float:
    if curve.pieces == 1:
        return float(knots[curve.first, 0] + count * knots[curve.first, 1])
    piece = min(count // curve.every, curve.pieces - 1)
    place = curve.first + piece
    return float(knots[place, 0] + (count - piece * curve.every) * knots[place, 1])


def idle_replicas(count: int) -> NDArray[np.void]:
    """Replicas before the first arrival."""
    pool = np.zeros(count, dtype=REPLICA)
    pool["end_s"] = np.inf
    for field in ("prompt_left", "head", "tail", "run_batch"):
        pool[field] = NONE
    return pool


@compiled
def serve(requests: NDArray[np.void], pool: NDArray[np.void], pace: Pace) -> None:
    """Run all requests to their end; each goes to the replica that holds the fewest, the first of equals."""
    # Of each replica, a heap of the decode steps after which its sequences end, with their requests.
    last_step = np.empty((len(pool), pace.max_sequences), dtype=np.int64)
    sequence = np.empty((len(pool), pace.max_sequences), dtype=np.int64)
    for request in range(len(requests)):
        now = requests[request].arrival_s
        chosen = 0
        for number in range(len(pool)):
            if pool[number].end_s < now:
                _advance(requests, pool[number], last_step[number], sequence[number], pace, now)
            if pool[number].held < pool[chosen].held:
                chosen = number
        replica = pool[chosen]
        requests[request].following = NONE
        if replica.head == NONE:
            replica.head = request
            _cut_run(replica, pace, now)
        else:
            requests[replica.tail].following = request
        replica.tail = request
        replica.held += 1
        if replica.end_s == np.inf:  # idle: it begins a step once all arrivals of this instant are in
            replica.end_s = now
    for number in range(len(pool)):
        _advance(requests, pool[number], last_step[number], sequence[number], pace, np.inf)


@compiled
def _advance(requests: Any, replica: Any, last_step: Counts, sequence: Counts, pace: Pace, until_s: float) -> None:
    """Steps that end before a time; what happens at that time is decided with its arrivals."""
    while replica.end_s < until_s:
        _end_step(requests, replica, last_step, sequence)
        _begin_step(requests, replica, last_step, sequence, pace)


@compiled
def _end_step(requests: Any, replica: Any, last_step: Counts, sequence: Counts) -> None:
    """Sequences that end leave; prompts that are complete have their first token and start to decode."""
    if replica.decoding:
        while replica.batch > 0 and last_step[0] <= replica.decode_steps:
            requests[sequence[0]].finish_s = replica.end_s
            replica.held -= 1
            replica.batch -= 1
            _pop(last_step, sequence, replica.batch)
    for _ in range(replica.joining):
        number = replica.head
        request = requests[number]
        replica.head = request.following
        request.first_token_s = replica.end_s
        if request.decode_tokens == 0:
            request.finish_s = replica.end_s
            replica.held -= 1
        else:
            _decode(replica, last_step, sequence, number, request.decode_tokens)
    replica.joining = 0


@compiled
def _begin_step(requests: Any, replica: Any, last_step: Counts, sequence: Counts, pace: Pace) -> None:
    """Compose the next step; decode steps that stay equal until a sequence ends are taken together."""
    now = replica.end_s
    while replica.head != NONE and requests[replica.head].prompt_tokens == 0 and replica.batch < pace.max_sequences:
        number = replica.head
        request = requests[number]
        replica.head = request.following
        request.start_s = now
        _decode(replica, last_step, sequence, number, request.decode_tokens)

    tokens, attention_s = _prompt_tokens(requests, replica, pace)
    if tokens > 0:
        replica.decoding = pace.step_tokens > 0 and replica.batch > 0
        step_s = _at(pace.knots, pace.prompt, tokens) + attention_s
        if replica.decoding:
            step_s += _at(pace.knots, pace.decode, replica.batch)
            replica.decode_steps += 1
        replica.end_s = now + step_s
        replica.run_batch = NONE
    elif replica.batch > 0:
        replica.decoding = True
        if replica.run_batch != replica.batch:
            replica.run_batch, replica.run_start_s, replica.run_steps = replica.batch, now, 0
        replica.run_steps += last_step[0] - replica.decode_steps
        replica.decode_steps = last_step[0]
        step_s = _at(pace.knots, pace.decode, replica.batch)
        replica.end_s = replica.run_start_s + replica.run_steps * step_s
    else:
        replica.end_s = np.inf
        replica.run_batch = NONE
        return
    replica.busy_s += replica.end_s - now


@compiled
def _cut_run(replica: Any, pace: Pace, now: float) -> None:
    """End the decode steps taken together with the first that ends at or after an arrival: the next may hold it."""
    if replica.run_batch == NONE:
        return
    step_s = _at(pace.knots, pace.decode, replica.run_batch)
    steps = int((now - replica.run_start_s) / step_s)
    # The division may round across a step.
    while replica.run_start_s + steps * step_s < now:
        steps += 1
    while replica.run_start_s + (steps - 1) * step_s >= now:
        steps -= 1
    end_s = replica.run_start_s + steps * step_s
    replica.decode_steps -= replica.run_steps - steps
    replica.run_steps = steps
    replica.busy_s -= replica.end_s - end_s
    replica.end_s = end_s


@compiled
def _prompt_tokens(requests: Any, replica: Any, pace: Pace) -> tuple[int, float]:
    """Prompt tokens of the next step and the time of their attention.

    Whole prompts, the first and those behind it that fit together; or prompts in order up to the step's tokens.
    """
    whole = pace.step_tokens == 0
    slots, attention_s, tokens = pace.max_sequences - replica.batch, 0.0, 0
    room = pace.prompt_batch_tokens if whole else pace.step_tokens - replica.batch
    number = replica.head
    while number != NONE and slots > 0 and (room > 0 or (whole and tokens == 0)):
        request = requests[number]
        left = replica.prompt_left
        if left == NONE:
            left = request.prompt_tokens
            if whole and tokens > 0 and left > room:
                break
            request.start_s = replica.end_s
        done = request.prompt_tokens - left
        if not whole and left > room:
            replica.prompt_left = left - room
            attention_s += _at(pace.knots, pace.attention, done + room) - _at(pace.knots, pace.attention, done)
            return tokens + room, attention_s
        replica.prompt_left = NONE
        replica.joining += 1
        attention_s += _at(pace.knots, pace.attention, request.prompt_tokens) - _at(pace.knots, pace.attention, done)
        tokens += left
        room -= left
        slots -= 1
        number = request.following
    return tokens, attention_s


@compiled
def _decode(replica: Any, last_step: Counts, sequence: Counts, number: int, decode_tokens: int) -> None:
    """Add a sequence to the batch, on the heap by the step after which it ends."""
    ends = replica.decode_steps + decode_tokens
    at = replica.batch
    replica.batch += 1
    while at > 0 and last_step[(at - 1) // 2] > ends:
        last_step[at], sequence[at] = last_step[(at - 1) // 2], sequence[(at - 1) // 2]
        at = (at - 1) // 2
    last_step[at], sequence[at] = ends, number


@compiled
def _pop(last_step: Counts, sequence: Counts, size: int) -> None:
    """Remove the top of a heap that keeps `size` entries."""
    ends, number = last_step[size], sequence[size]
    at, child = 0, 1
    while child < size:
        if child + 1 < size and last_step[child + 1] < last_step[child]:
            child += 1
        if last_step[child] >= ends:
            break
        last_step[at], sequence[at] = last_step[child], sequence[child]
        at, child = child, 2 * child + 1
    last_step[at], sequence[at] = ends, number


@compiled
def first_come_first_served(arrival_s: Array, service_s: Array, servers: int, start_s: Array, server: Counts) -> None:
    """Each customer, in order, on the server that is free first, the first of equals; k servers, one queue."""
    free_s, index = np.full(servers, -np.inf), np.arange(servers)
    for customer in range(len(arrival_s)):
        start_s[customer] = max(arrival_s[customer], free_s[0])
        server[customer] = index[0]
        _occupy(free_s, index, start_s[customer] + service_s[customer])


@compiled
def prompts_in_batches(
    arrival_s: Array, prompt_tokens: Counts, pace: Pace, servers: int, start_s: Array, end_s: Array, server: Counts
) -> float:
    """One queue before a prefill pool: the server that is free first takes the prompts that wait and fit together.

    Returns how long the servers are busy in all.
    """
    free_s, index = np.full(servers, -np.inf), np.arange(servers)
    customer, busy_s = 0, 0.0
    while customer < len(arrival_s):
        first, tokens, attention_s = customer, 0, 0.0
        start = max(arrival_s[first], free_s[0])
        while customer < len(arrival_s) and (
            customer == first or (arrival_s[customer] <= start and tokens + prompt_tokens[customer] <= pace.prompt_batch_tokens)
        ):
            tokens += prompt_tokens[customer]
            attention_s += _at(pace.knots, pace.attention, prompt_tokens[customer])
            customer += 1
        service_s = _at(pace.knots, pace.prompt, tokens) + attention_s
        for one in range(first, customer):
            start_s[one], end_s[one], server[one] = start, start + service_s, index[0]
        busy_s += service_s
        _occupy(free_s, index, start + service_s)
    return busy_s


@compiled
def _occupy(free_s: Array, index: Counts, until_s: float) -> None:
    """The server at the top of the heap becomes free later: sift it down."""
    servers, number = len(free_s), index[0]
    at, child = 0, 1
    while child < servers:
        right = child + 1
        if right < servers and _before(free_s[right], index[right], free_s[child], index[child]):
            child = right
        if _before(until_s, number, free_s[child], index[child]):
            break
        free_s[at], index[at] = free_s[child], index[child]
        at, child = child, 2 * child + 1
    free_s[at], index[at] = until_s, number


@compiled
def _before(one_s: float, one: int, other_s: float, other: int) -> bool:
    return one_s < other_s or (one_s == other_s and one < other)


@compiled
def in_order_by_server(ready_s: Array, service_s: Array, server: Counts, servers: int, end_s: Array) -> None:
    """One queue behind each server, in the order of the customers: the link behind a prefill replica."""
    free_s = np.full(servers, -np.inf)
    for customer in range(len(ready_s)):
        end_s[customer] = max(ready_s[customer], free_s[server[customer]]) + service_s[customer]
        free_s[server[customer]] = end_s[customer]

"""Host it or call it: both bills of a workload, from which volume on hosting pays, and what a mix of both saves."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np

from answers.host_or_call.calls import alternatives_of, calls_of, priced_models
from answers.host_or_call.hosts import hosts_of, precision_of, requests_per_month
from answers.host_or_call.measured import multipliers
from answers.host_or_call.record import Both, Call, Host, HostOrCallDecision, HostOrCallError, HostOrCallQuestion
from answers.host_or_call.rents import Rent, rents_of
from answers.host_or_call.routed import routed
from answers.host_or_call.tables import Tables, tables_of
from answers.host_or_call.turning import evidence_of, flips_of
from answers.names import UnknownNameError, gpu_meant, model_meant
from economics.serving.hosting import HOURS_PER_MONTH
from economics.serving.load_split import base_and_burst
from economics.units import TOKENS_PER_MTOK

WORTH = 0.01
"""Share that a mix must save before it is named rather than the simpler answer."""
SEED = 2026


def host_or_call(question: HostOrCallQuestion, *, warehouse: Path, table: Path | None = None) -> HostOrCallDecision:
    """Whether to host or to call, from a published warehouse. `table`: outcomes of one's own, as `iecon route` reads them.

    Raises HostOrCallError for a question that is absurd or names what is not known. A contract that no instance meets is no
    error: the call answers alone.
    """
    _refuse_absurd(question)
    with duckdb.connect(str(warehouse.resolve()), read_only=True) as connection:
        known = tables_of(connection)
        q, taken = _in_known_names(connection, question)
        precision = precision_of(q, known.stored_as)
        calls, alternatives = calls_of(connection, q), alternatives_of(connection, q)
        reference = next((call for call in calls if not call.doubts), None) or next(iter(calls or alternatives), None)
        rents, missing = rents_of(connection, q)
        if q.measured is not None:
            known = replace(known, measured=multipliers(Path(q.measured), warehouse=warehouse, model=q.model, known=known))
        hosts = hosts_of(q, rents, precision=precision, call=reference, known=known)
        best = next((host for host in hosts if host.usd_per_month is not None), None)
        both = None if reference is None else _both(q, hosts, reference)
        answer = _answer(reference, best, both)
        split = None if table is None else routed(connection, q, table, warehouse=warehouse, call=reference, host=best)
        other = _in_eight_bits(q, rents, precision=precision, best=best, call=reference, known=known)
    return HostOrCallDecision(
        question=q,
        answer=answer,
        usd_per_month=_of(answer, reference, best, both),
        requests_per_day=q.load.mean_per_s * 86_400.0,
        mtok_per_month=requests_per_month(q) * (q.input_tokens + q.output_tokens) / TOKENS_PER_MTOK,
        reference=reference,
        calls=calls,
        alternatives=alternatives,
        hosts=tuple(hosts),
        best=best,
        both=both,
        routed=split,
        flips=tuple(flips_of(q, reference, best, alternatives, other)),
        evidence=(*taken, *evidence_of(q, rents, missing, best, known)),
    )


def _refuse_absurd(q: HostOrCallQuestion) -> None:
    positive = {"in": q.input_tokens, "out": q.output_tokens, "ttft-p99": q.ttft_p99_s, "tpot-p99": q.tpot_p99_s}
    positive |= {"price": q.usd_per_gpu_hour} if q.usd_per_gpu_hour is not None else {}
    for name, value in positive.items():
        if not 0.0 < value < float("inf"):
            raise HostOrCallError(f"--{name} must be positive and finite, got {value:g}")
    for name, share in {"cached": q.cached_share, "batch": q.batch_share}.items():
        if not 0.0 <= share <= 1.0:
            hint = f": did you mean {share / 100:g}?" if 1.0 < share <= 100.0 else ""
            raise HostOrCallError(f"--{name} is a share from 0 to 1, got {share:g}{hint}")
    if q.cached_share == 1.0:
        raise HostOrCallError("--cached 1: some of each prompt is new; a share below 1 is answered")
    for name, amount in {"ops-usd-per-month": q.ops_usd_per_month, "minimum-usd-per-month": q.minimum_usd_per_month}.items():
        if not 0.0 <= amount < float("inf"):
            raise HostOrCallError(f"--{name} must be 0 or above, got {amount:g}")
    if q.start_up_s is not None and not 0.0 <= q.start_up_s < float("inf"):
        raise HostOrCallError(f"--start-up must be 0 or above, got {q.start_up_s:g} seconds")
    for model, share in q.accuracy.items():
        if not 0.0 < share <= 1.0:
            raise HostOrCallError(f"--accuracy {model}={share:g}: a share above 0, up to 1")
    if q.ttft_p99_s > 600.0 or q.tpot_p99_s > 2.0:
        name, value = ("tpot-p99", q.tpot_p99_s) if q.tpot_p99_s > 2.0 else ("ttft-p99", q.ttft_p99_s)
        raise HostOrCallError(f"--{name} {value:g} is in seconds: did you mean {value / 1000:g}?")


def _in_known_names(connection: duckdb.DuckDBPyConnection, q: HostOrCallQuestion) -> tuple[HostOrCallQuestion, tuple[str, ...]]:
    """The question in names of the warehouse, and what was taken for what."""
    shapes = [str(row[0]) for row in connection.execute("SELECT model FROM core.model_shape").fetchall()]
    gpus = [str(row[0]) for row in connection.execute("SELECT gpu FROM core.gpu").fetchall()]
    priced = priced_models(connection)
    try:
        model = model_meant(q.model, sorted({*shapes, *priced}))
        against = [model_meant(each, priced) for each in q.against]
        meant = [gpu_meant(each, gpus) for each in q.gpus]
        correct = {model_meant(name, sorted({*shapes, *priced})).key: share for name, share in q.accuracy.items()}
    except UnknownNameError as error:
        raise HostOrCallError(str(error)) from None
    notes = [each.note for each in (model, *against, *meant) if each.note]
    renamed = replace(
        q,
        model=model.key,
        against=tuple(each.key for each in against),
        gpus=tuple(each.key for each in meant),
        accuracy=correct,
    )
    return renamed, tuple(notes)


def _both(q: HostOrCallQuestion, hosts: Sequence[Host], call: Call) -> Both | None:
    """The cheapest split over the GPUs; None where all is hosted or all is called."""
    best: Both | None = None
    alone = min([call.usd_per_month, *(host.usd_per_month for host in hosts if host.usd_per_month is not None)])
    for host in hosts:
        if host.capacity_per_s is None or host.gpus_per_instance is None:
            continue
        hourly = host.gpus_per_instance * host.usd_per_gpu_hour
        split = base_and_burst(
            rates_per_s=q.load.rates_per_s,
            capacity_per_s=host.capacity_per_s,
            usd_per_instance_hour=hourly,
            usd_per_request=call.usd_per_request,
        )
        if split.instances == 0 or split.called_share == 0.0:
            continue
        hosted = split.hosted_usd_per_hour * HOURS_PER_MONTH + q.ops_usd_per_month
        called = max(split.called_usd_per_hour * HOURS_PER_MONTH, q.minimum_usd_per_month)
        if best is not None and hosted + called >= best.usd_per_month:
            continue
        share = _simulated_called_share(q, split.instances * host.capacity_per_s)
        simulated = max(share * requests_per_month(q) * call.usd_per_request, q.minimum_usd_per_month)
        best = Both(
            gpu=host.gpu,
            instances=split.instances,
            gpus=split.instances * host.gpus_per_instance,
            seller=call.seller,
            usd_per_month=hosted + called,
            hosted_usd_per_month=hosted,
            called_usd_per_month=called,
            called_share=split.called_share,
            saves_usd_per_month=alone - hosted - called,
            simulated_usd_per_month=hosted + simulated,
        )
    return best


def _simulated_called_share(q: HostOrCallQuestion, capacity_per_s: float) -> float:
    """Share of random arrivals, counted by the minute, that come above what is hosted."""
    minutes = max(int(q.load.window_s // 60.0), 1)
    expected = np.repeat(q.load.rates_per_s, minutes) * q.load.window_s / minutes
    came = np.random.default_rng(SEED).poisson(expected)
    above = np.maximum(came - capacity_per_s * q.load.window_s / minutes, 0.0)
    return float(above.sum() / max(came.sum(), 1))


def _answer(call: Call | None, host: Host | None, both: Both | None) -> str:
    costs = {"call": None if call is None else call.usd_per_month, "host": None if host is None else host.usd_per_month}
    known = {name: cost for name, cost in costs.items() if cost is not None}
    if not known:
        return "none"
    name = min(known, key=lambda each: known[each])
    if both is not None and both.usd_per_month < known[name] * (1.0 - WORTH):
        return "both"
    return name


def _of(answer: str, call: Call | None, host: Host | None, both: Both | None) -> float | None:
    chosen = {"call": call, "host": host, "both": both}.get(answer)
    return None if chosen is None else chosen.usd_per_month


def _in_eight_bits(
    q: HostOrCallQuestion, rents: list[Rent], *, precision: str, best: Host | None, call: Call | None, known: Tables
) -> Host | None:
    """The best host with weights in eight bits, where the checkpoint has sixteen and no format was asked for."""
    if q.precision is not None or precision != "bf16" or best is None:
        return None
    mine = [rent for rent in rents if rent.gpu == best.gpu]
    found = hosts_of(q, mine, precision="fp8", call=call, known=known)
    return found[0] if found and found[0].usd_per_month is not None else None

"""What a router on the user's own outcomes changes: easy items go to a cheaper model, and the load that is left is smaller."""

from dataclasses import replace
from pathlib import Path

import duckdb

from answers.host_or_call.calls import calls_of, priced_models
from answers.host_or_call.record import Call, Host, HostOrCallQuestion, Routed
from answers.names import UnknownNameError, model_meant
from economics.serving.hosting import hosted_usd_per_month, instances_at
from economics.units import Real


def routed(
    connection: duckdb.DuckDBPyConnection,
    q: HostOrCallQuestion,
    table: Path,
    *,
    warehouse: Path,
    call: Call | None,
    host: Host | None,
) -> Routed:
    """What the policy that `iecon route` promises on this table costs a month.

    The strong model of the table stands for the model asked for. Raises ValueError for a table that cannot be judged.
    """
    from answers.route.answer import Options, decide  # noqa: PLC0415

    decision = decide([table], options=Options(warehouse=warehouse))
    best = decision.best
    share = best.of_policy.get("strong_share")
    strong_share = None if share is None else float(share.value)
    notes: list[str] = []
    try:
        weak = model_meant(decision.weak, priced_models(connection)).key
        seller = next(
            (each for each in calls_of(connection, replace(q, model=weak, api_usd_per_mtok=())) if not each.doubts), None
        )
    except UnknownNameError:
        seller = None
    if seller is None:
        notes.append(f"no price of {decision.weak} is believed: what its share costs is not known")
    usd = None
    if strong_share is not None and seller is not None:
        ways = [_hosted(q, host, strong_share), None if call is None else call.usd_per_month * strong_share]
        known = [float(way) for way in ways if way is not None]
        if known:
            usd = min(known) + (1.0 - strong_share) * seller.usd_per_month
            notes.append(f"{decision.weak} is called at {seller.seller}, for answers of the same length")
    return Routed(
        pays=str(best.pays),
        why=best.why,
        strong=decision.strong,
        weak=decision.weak,
        strong_share=strong_share,
        usd_per_month=usd,
        notes=tuple(notes),
    )


def _hosted(q: HostOrCallQuestion, host: Host | None, share: float) -> Real | None:
    """Hosting of that share of the load, on the same instances."""
    if host is None or host.capacity_per_s is None or host.gpus_per_instance is None:
        return None
    count = instances_at(
        rate_per_s=q.load.mean_per_s * share, peak_factor=q.load.peak_factor, capacity_per_s=host.capacity_per_s
    )
    return hosted_usd_per_month(
        instances=count,
        usd_per_instance_hour=host.gpus_per_instance * host.usd_per_gpu_hour,
        ops_usd_per_month=q.ops_usd_per_month,
    )

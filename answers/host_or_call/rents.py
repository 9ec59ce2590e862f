"""What an hour of a GPU costs: rented by term, as stated, or owned."""

from dataclasses import dataclass

import duckdb

from answers.host_or_call.record import HostOrCallError, HostOrCallQuestion
from economics.serving.hosting import owned_usd_per_gpu_hour


@dataclass(frozen=True, kw_only=True)
class Rent:
    """What an hour of a GPU costs, from the cheapest to the dearest seller of the term."""

    gpu: str
    term: str
    usd_per_gpu_hour: float
    low: float
    high: float
    said: str


def rents_of(connection: duckdb.DuckDBPyConnection, q: HostOrCallQuestion) -> tuple[list[Rent], dict[str, str]]:
    """The rent of each GPU asked for, else of all that have one of the term, and why others have none."""
    if q.usd_per_gpu_hour is not None:
        if not q.gpus:
            raise HostOrCallError("--price is of a GPU: give --gpu")
        usd = q.usd_per_gpu_hour
        return [
            Rent(gpu=gpu, term="stated", usd_per_gpu_hour=usd, low=usd, high=usd, said="as you stated it") for gpu in q.gpus
        ], {}
    if q.owned is not None:
        return _owned(connection, q)
    table = "core.gpu_price" if q.term is None else "core.gpu_rent_by_gpu"
    middle, day = ("usd_per_gpu_hour", "valid_from") if q.term is None else ("median_usd_per_gpu_hour", "newest")
    sellers = "sellers" if q.term is None else "providers"
    rows = connection.execute(
        f"SELECT gpu, term::VARCHAR, {middle}, low_usd_per_gpu_hour, high_usd_per_gpu_hour, {sellers}, {day} FROM {table} "
        "WHERE $term IS NULL OR term::VARCHAR = $term",
        {"term": q.term},
    ).fetchall()
    found = {
        gpu: Rent(
            gpu=gpu,
            term=term,
            usd_per_gpu_hour=usd,
            low=low,
            high=high,
            said=f"{term}, {count} seller(s) from {low:.4g} to {high:.4g}, newest of {newest}",
        )
        for gpu, term, usd, low, high, count, newest in rows
    }
    if not found:
        known = ", ".join(
            str(row[0]) for row in connection.execute("SELECT DISTINCT term FROM core.gpu_rent_by_gpu ORDER BY 1").fetchall()
        )
        raise HostOrCallError(f"no rent of term {q.term} is known; known are {known}, and owned with --gpu-usd")
    missing = {gpu: f"no {q.term or 'rent'} of it is known: give --price" for gpu in q.gpus if gpu not in found}
    return [rent for gpu, rent in sorted(found.items()) if not q.gpus or gpu in q.gpus], missing


def _owned(connection: duckdb.DuckDBPyConnection, q: HostOrCallQuestion) -> tuple[list[Rent], dict[str, str]]:
    assert q.owned is not None
    if not q.gpus:
        raise HostOrCallError("--gpu-usd is the price of a GPU: give --gpu")
    watts = dict(connection.execute("SELECT gpu, tdp_w FROM core.gpu").fetchall())
    found, missing = [], {}
    for gpu in q.gpus:
        if watts.get(gpu) is None:
            missing[gpu] = "its power draw is not known"
            continue
        usd = float(
            owned_usd_per_gpu_hour(
                purchase_usd=q.owned.purchase_usd,
                life_years=q.owned.life_years,
                interest_per_year=q.owned.interest_per_year,
                residual_share=q.owned.residual_share,
                watts=watts[gpu],
                power_usage_effectiveness=q.owned.power_usage_effectiveness,
                usd_per_kwh=q.owned.usd_per_kwh,
            )
        )
        said = (
            f"${q.owned.purchase_usd:,.0f} over {q.owned.life_years:g} years at {100 * q.owned.interest_per_year:g} % a year, "
            f"{watts[gpu]:g} W around the clock, PUE {q.owned.power_usage_effectiveness:g}, ${q.owned.usd_per_kwh:g} per kWh"
        )
        found.append(Rent(gpu=gpu, term="owned", usd_per_gpu_hour=usd, low=usd, high=usd, said=said))
    return found, missing

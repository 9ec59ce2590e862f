"""What an hour of a GPU cost on a day, by term and quantile, from the rents by the day."""

from datetime import date
from typing import Any

import duckdb

ORDER = ("rental_index", "on_demand", "marketplace")
"""Which term prices a day that is asked for without one: the first that is known."""


def rent_on(
    connection: duckdb.DuckDBPyConnection, gpu: str, *, day: date, term: str | None = None, statistic: str | None = None
) -> dict[str, Any]:
    """Rent of a GPU on a day, in the columns of `core.gpu_price`: median over markets, with the lowest and the highest.

    `statistic` is price, p25 or median; without one posted prices and medians count. Raises ValueError where no such rent is
    known, with what is.
    """
    found = connection.execute(
        "SELECT term, provider, usd_per_gpu_hour, source FROM core.gpu_rent_daily WHERE gpu = $gpu AND as_of = $day "
        "AND instance_type IS NULL AND ($term IS NULL OR term = $term) "
        "AND ($statistic IS NULL AND statistic <> 'p25' OR statistic = $statistic)",
        {"gpu": gpu, "day": day, "term": term, "statistic": statistic},
    ).fetchall()
    terms = {row[0] for row in found}
    chosen = next((each for each in ORDER if each in terms), next(iter(sorted(terms)), None))
    rows = [row for row in found if row[0] == chosen]
    if not rows:
        raise ValueError(_what_is_known(connection, gpu, day, term, statistic))
    prices = sorted(row[2] for row in rows)
    middle = len(prices) // 2
    return {
        "gpu": gpu,
        "usd_per_gpu_hour": prices[middle] if len(prices) % 2 else (prices[middle - 1] + prices[middle]) / 2.0,
        "low_usd_per_gpu_hour": prices[0],
        "high_usd_per_gpu_hour": prices[-1],
        "term": chosen,
        "valid_from": day,
        "sellers": len({row[1] for row in rows}),
        "sources": ", ".join(sorted({row[3] for row in rows})),
        "as_of": day,
    }


def _what_is_known(connection: duckdb.DuckDBPyConnection, gpu: str, day: date, term: str | None, statistic: str | None) -> str:
    asked = " ".join(each for each in (term, statistic) if each)
    known = connection.execute(
        "SELECT term, string_agg(DISTINCT statistic, ', ' ORDER BY statistic), min(as_of), max(as_of) FROM core.gpu_rent_daily "
        "WHERE gpu = ? AND instance_type IS NULL GROUP BY term ORDER BY term",
        [gpu],
    ).fetchall()
    listed = "; ".join(f"{each} ({of}) {first} to {last}" for each, of, first, last in known) or "none of any day"
    return f"no {asked + ' ' if asked else ''}rent of {gpu} is known for {day}; known are {listed}"

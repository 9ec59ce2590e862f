"""Days out of the date texts of result files."""

import datetime as dt

from sources.serving.benchmark_outputs.fields import RowError

_SECONDS_FROM, _SECONDS_TO = 1.0e9, 4.0e9
"""Unix time in seconds between 2001 and 2096; milliseconds and nanoseconds lie far outside."""


def day(text: str | None, column: str) -> dt.date | None:
    """Day of `2026-06-11`, of an ISO time, or of `20260611-075258`; None for None, RowError for anything else."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text[:8] if text[:8].isdigit() else text[:10])
    except ValueError as error:
        raise RowError("not_a_date", f"{column} should begin with year, month, day", column=column, value=text) from error


def day_of_unix_time(seconds: float | None, column: str) -> dt.date | None:
    """Day (UTC) of a Unix time in seconds; None for None, RowError where it is in another unit."""
    if seconds is None:
        return None
    if not _SECONDS_FROM < seconds < _SECONDS_TO:
        raise RowError("not_a_date", f"{column} is not a Unix time in seconds", column=column, value=seconds)
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).date()

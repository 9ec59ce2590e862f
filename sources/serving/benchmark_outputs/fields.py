"""Numbers, counts, texts and latencies out of a record, each checked; nothing is guessed and nothing repaired."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from schemas.serving.benchmark_outputs import STATISTICS

LARGEST_COUNT = 2**53
"""Above this a JSON number is no longer an exact count."""

Point = dict[str, Any]
"""Columns of core.operating_point that one record states; keys that begin with `DOUBT` hold what was not believed of it."""
DOUBT = "doubt of "
NO_RUN = "out_of_scope"
"""Severity of a record that is no run of a text model at all, as against one that is not believed."""
_OTHER_TASK = re.compile(
    r"audio|speech|transcription|translation|asr|images?(?!\w)|image_|video|embed\w*|pooling|rerank|classif\w*|diffusion|mmmu|multi-?modal"
)

_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d{1,400})(\.\d{0,400})?([eE][+-]?\d{1,4})?|[+-]?\.\d{1,400}([eE][+-]?\d{1,4})?")
"""A number written as text, with or without thousands separators."""


class RowError(ValueError):
    """A record that is not believed: the rule it broke, the reason in words, and where."""

    def __init__(
        self, rule: str, reason: str, *, column: str | None = None, value: object = None, severity: str = "invalid"
    ) -> None:
        super().__init__(reason)
        self.rule, self.reason, self.column, self.severity = rule, reason, column, severity
        self.value = None if value is None else str(value)[:200]


class NoResultError(ValueError):
    """A file that is no result of any tool: a picture, a log, a text. Among results it is passed over."""


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """The value as a mapping, an empty one for None; RowError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RowError("not_an_object", f"{name} should hold named values", column=name, value=value)
    return value


def nested(record: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Follow keys down to a mapping; an absent step gives an empty one, a wrong kind RowError."""
    for step in path:
        record = mapping(record.get(step), step)
    return record


def number(record: Mapping[str, Any], key: str, *, scale: float = 1.0, positive: bool = False) -> float | None:
    """Finite number of at least zero (above zero with `positive`), times `scale`; None where absent or null.

    A text that is a number, such as "1,024.5", is read as one. Raises RowError for other texts, booleans, NaN, infinity and
    negative values: none of them is ever read as a number.
    """
    value = record.get(key)
    if value is None:
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value.replace(",", ""))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RowError("not_a_number", f"{key} should be a number", column=key, value=value)
    try:
        figure = float(value) * scale
    except OverflowError as error:
        raise RowError("out_of_range", f"{key} is too large for a number", column=key, value=value) from error
    if not math.isfinite(figure):
        raise RowError("not_finite", f"{key} is not a finite number", column=key, value=value)
    if figure < 0:
        raise RowError("negative", f"{key} cannot be negative", column=key, value=value)
    if positive and figure == 0:
        raise RowError("not_positive", f"{key} cannot be zero", column=key, value=value)
    return figure


def count(record: Mapping[str, Any], key: str, *, least: int = 0) -> int | None:
    """Whole number of at least `least`; None where absent or null; RowError otherwise."""
    figure = number(record, key)
    if figure is None:
        return None
    if figure != int(figure) or figure > LARGEST_COUNT:
        raise RowError("not_a_count", f"{key} should be a whole number", column=key, value=record[key])
    if figure < least:
        raise RowError("out_of_range", f"{key} should be at least {least}", column=key, value=record[key])
    return int(figure)


def text(record: Mapping[str, Any], key: str) -> str | None:
    """Text of a key; None where absent, null or blank; RowError for anything else."""
    value = record.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise RowError("not_text", f"{key} should be text", column=key, value=value)
    return value.strip() or None


def flag(record: Mapping[str, Any], key: str) -> bool | None:
    """True or false, also where a shell wrote the word; None where absent or null; RowError otherwise."""
    value = record.get(key)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise RowError("not_a_flag", f"{key} should be true or false", column=key, value=value)


def optional(column: str, read: Callable[[], Any]) -> Point:
    """A column that a run can do without: its value, or, where that cannot be read, the doubt instead of the column."""
    try:
        return {column: read()}
    except RowError as error:
        return {f"{DOUBT}{column}": f"{column} is not read: {error.reason}"}


def doubts(point: Point) -> tuple[Point, list[str]]:
    """The columns of a point, and what was not believed of it, in words."""
    stated = {column: value for column, value in point.items() if not column.startswith(DOUBT)}
    return stated, [str(reason) for column, reason in point.items() if column.startswith(DOUBT) and reason]


def latencies(record: Mapping[str, Any], name: str, keys: Mapping[str, Iterable[str]], *, scale: float) -> Point:
    """Statistics of one latency in seconds.

    `name` is ttft, tpot, itl or e2e; `keys` gives for each statistic the keys it may stand under; `scale` turns the
    tool's unit into seconds. All zero means that the tool observed nothing, and gives NULL and a doubt; so does a statistic
    that is NaN or infinite. Raises RowError where a single statistic is zero: no first token and no whole answer takes no
    time.
    """
    found: Point = {}
    endless: list[str] = []
    for statistic in STATISTICS:
        for key in keys.get(statistic, ()):
            try:
                figure = number(record, key, scale=scale)
            except RowError as error:
                if error.rule != "not_finite":
                    raise
                endless.append(key)
                figure = None
            if figure is not None:
                found[f"{name}_{statistic}_s"] = figure
                break
    said: Point = {f"{DOUBT}{name}": f"{', '.join(endless)}: not a finite number"} if endless else {}
    if not any(found.values()):
        return said | ({f"{DOUBT}{name}": f"{name} is zero: nothing was observed"} if found else {})
    zero = [key for key, figure in found.items() if figure == 0]
    if zero and name != "itl":
        raise RowError("not_positive", f"{zero[0]} is zero while others are not", column=zero[0], value=0)
    return found | said


def load(
    *,
    rate: float | str | None,
    in_flight: float | None,
    states_in_flight: bool,
    n_sent: int | None,
    burstiness: float | None,
) -> Point:
    """How requests arrive, from the rate asked for (requests/s, `inf` or `trace`) and the bound on those in flight.

    An unlimited rate with a bound is a closed loop; without one, or with one that the requests sent never reach, all of
    them start at once. What counts is how many were sent, not how many were answered. Both put every client at the door in
    the first instant. Where the record does not say whether there is a bound (`states_in_flight`), the kind of arrival stays
    NULL.
    """
    point: Point = {"concurrency": in_flight}
    if rate is None:
        return point
    if isinstance(rate, str) and _NUMBER.fullmatch(rate.strip()):
        rate = float(rate.replace(",", ""))
    if rate in ("inf", "Infinity", math.inf):
        is_bound = in_flight is not None and (n_sent is None or in_flight < n_sent)
        point |= {"arrival": "closed_loop" if is_bound else "all_at_once", "start_burst_bias": True}
    elif rate == "trace":
        point |= {"arrival": _open(in_flight), "arrival_process": "trace", "start_burst_bias": False}
    elif isinstance(rate, str):
        raise RowError("not_a_rate", "request rate should be positive or unlimited", column="request_rate", value=rate)
    else:
        law = None if burstiness is None else ("poisson" if burstiness == 1 else "gamma")
        point |= {"arrival": _open(in_flight), "arrival_process": law, "start_burst_bias": False}
        point |= {"request_rate_per_s": number({"rate": rate}, "rate", positive=True), "burstiness": burstiness}
    return point if states_in_flight else point | {"arrival": None}


def _open(in_flight: float | None) -> str:
    return "open_loop" if in_flight is None else "open_loop_capped"


def require_answers(n_requests: int | None, tokens_out: float | None = None) -> None:
    """RowError where no request was answered: such a run measures nothing."""
    if n_requests == 0 or (n_requests is not None and tokens_out == 0):
        reason = "no request was answered: there is nothing to measure" if n_requests == 0 else "no answer holds a token"
        raise RowError("no_answer", reason, severity=NO_RUN)


def require_text_task(*words: str | None) -> None:
    """RowError where what the client was told names a task whose tokens are not those of a text, such as speech or images."""
    for word in words:
        task = word and _OTHER_TASK.search(word.lower())
        if task:
            raise RowError("not_a_text_task", f"a task of {task[0]}, not of text", value=word, severity=NO_RUN)

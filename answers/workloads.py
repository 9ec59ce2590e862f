"""Named workloads from use, for a question that states none: lengths, cached share and reasoning share of a class of models."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from answers.names import unknown
from answers.query import connect
from answers.text import number, share


class WorkloadError(ValueError):
    """A workload that does not exist, or a length that nobody stated; the command exits with 2."""

    code = 2


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A row of `core.workload_in_use`: means over all requests of the class, ends over its models."""

    workload: str
    month: date
    models: int
    input_tokens: float
    input_tokens_low: float
    input_tokens_high: float
    output_tokens: float
    output_tokens_low: float
    output_tokens_high: float
    cached_share: float
    reasoning_share: float

    def in_words(self) -> str:
        """What it is, with its spread."""
        return (
            f"workload: {self.workload.replace('_', ' ')}, means of {self.models} models at one router in {self.month:%B %Y}: "
            f"{number(self.input_tokens)} tokens in ({number(self.input_tokens_low)} to {number(self.input_tokens_high)} over "
            f"models), {share(self.cached_share)} of them from cache, {number(self.output_tokens)} out "
            f"({number(self.output_tokens_low)} to {number(self.output_tokens_high)}), "
            f"{share(self.reasoning_share)} of it reasoning"
        )


def workload_named(warehouse: Path, name: str) -> Workload:
    """A workload by its name, such as chat or long_context. Raises WorkloadError, with those there are."""
    columns = ", ".join(Workload.__dataclass_fields__)
    with connect(warehouse) as connection:
        rows = connection.execute(f"SELECT {columns} FROM core.workload_in_use").fetchall()
    found = [Workload(**dict(zip(Workload.__dataclass_fields__, row, strict=True))) for row in rows]
    for each in found:
        if each.workload == name.lower().replace("-", "_").replace(" ", "_"):
            return each
    names = [each.workload for each in found]
    raise WorkloadError(unknown("workload", name, [each for each in names if each.startswith(name[:3].lower())], names))


def lengths(
    warehouse: Path, *, workload: str | None, input_tokens: float | None, output_tokens: float | None
) -> tuple[float, float, str | None]:
    """Tokens in and out of a question, and in words where they come from use: what is stated comes before the workload.

    Raises WorkloadError where a length is neither stated nor named.
    """
    if workload is None:
        missing = [name for name, length in (("--in", input_tokens), ("--out", output_tokens)) if length is None]
        if input_tokens is None or output_tokens is None:
            raise WorkloadError(f"give {' and '.join(missing)}, or --workload, whose lengths come from use")
        return input_tokens, output_tokens, None
    named = workload_named(warehouse, workload)
    asked = named.input_tokens if input_tokens is None else input_tokens
    answered = named.output_tokens if output_tokens is None else output_tokens
    return asked, answered, named.in_words()

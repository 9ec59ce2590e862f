"""Every format that is read, as the table of the documentation: name, what writes it, what identifies it, unit, reader."""

from sources.serving.benchmark_outputs.formats import FORMATS, Format
from sources.serving.benchmark_outputs.traces import LAYOUTS, Layout

HEADER = ("| format | written by | identified by | unit | reader |", "|---|---|---|---|---|")
_MOST_ALTERNATIVES = 3


def as_markdown() -> str:
    """The table of the formats of runs and of traces, in the order in which they stand in the code."""
    return "\n".join([*HEADER, *(_of_format(each) for each in FORMATS), *(_of_layout(each) for each in LAYOUTS)])


def _of_format(each: Format) -> str:
    module = getattr(each.point, "__module__", "").rpartition(".")[2]
    reader = f"`{module}`" if each.point is not None else f"none: {each.why_not}"
    never = f"; never {_marks(each.never[:_MOST_ALTERNATIVES])}" if each.never else ""
    return f"| `{each.name}` | {each.what} | {_marks(each.identity)}{never} | {each.unit} | {reader} |"


def _of_layout(each: Layout) -> str:
    marks = each.identity or tuple(name for name, _ in each.columns)
    never = f"; never {_marks(each.never)}" if each.never else ""
    unit = {None: "dates", 1.0: "s", 1e-3: "ms"}[each.seconds_per_unit]
    return f"| `{each.name}` | {each.what} | {_marks(marks)}{never} | {unit} | `traces` |"


def _marks(marks: tuple[str, ...]) -> str:
    return ", ".join(_alternatives(mark) for mark in marks)


def _alternatives(mark: str) -> str:
    words = mark.split("|")
    shown = " or ".join(f"`{word}`" for word in words[:_MOST_ALTERNATIVES])
    return shown + (" or others" if len(words) > _MOST_ALTERNATIVES else "")

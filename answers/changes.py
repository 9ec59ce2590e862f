"""What moved from one release to another, in lines that people read."""

from rich.console import Console
from rich.markup import escape

from answers.text import number, say, usd
from warehouse.changes import Change, Comparison, Kind

HEADINGS = {
    Kind.PRICE: "prices, $ per million tokens",
    Kind.RENT: "rents, $ per GPU-hour",
    Kind.PRICE_FRONTIER: "frontier of price and capability",
    Kind.SERVING_FRONTIER: "frontier of serving, by evidence",
    Kind.CORRECT_FRONTIER: "frontier of cost per task and accuracy",
    Kind.VERDICT: "verdicts on claims",
    Kind.MODEL: "models sold",
    Kind.SOURCE: "sources",
    Kind.TABLE: "tables, rows",
}
MOST_OF_A_KIND = 10


def show_comparison(found: Comparison, *, console: Console, all_of_them: bool = False) -> None:
    """Print what moved, by kind and the largest moves first, each in a line; the first `MOST_OF_A_KIND` of a kind, or all."""
    say(
        f"from {found.before.name} ({found.before.built_at:%Y-%m-%d %H:%M} UTC) "
        f"to {found.after.name} ({found.after.built_at:%Y-%m-%d %H:%M} UTC)",
        console=console,
    )
    for kind, heading in HEADINGS.items():
        moved = found.of(kind)
        if not moved:
            continue
        console.print(f"\n[bold]{heading}[/bold] ({len(moved)})", highlight=False)
        for change in moved if all_of_them else moved[:MOST_OF_A_KIND]:
            say(escape(in_words(change)), console=console, indent=2)
        if len(moved) > MOST_OF_A_KIND and not all_of_them:
            say(f"and {len(moved) - MOST_OF_A_KIND} more (--all)", console=console, indent=2)
    if not found.changes:
        say("nothing that is followed has moved", console=console)
    if found.not_compared:
        names = ", ".join(HEADINGS[kind] for kind in found.not_compared)
        say(f"not compared, as one of the two releases has no such table: {names}", console=console)


def in_words(change: Change) -> str:
    """One change in a line: `gpt-4o, openai input: $2.5 -> $2 (0.8 times)`, `gpt-5, eci: entered at $5.625`."""
    name = f"{change.subject}, {change.detail}" if change.detail else change.subject
    if change.before is None:
        return f"{name}: entered{_at(change, change.after)}"
    if change.after is None:
        return f"{name}: left{_at(change, change.before)}"
    times = f" ({number(change.ratio, digits=3)} times)" if change.ratio is not None and change.kind is not Kind.TABLE else ""
    return f"{name}: {_figure(change, change.before)} -> {_figure(change, change.after)}{times}"


def _at(change: Change, value: float | str | None) -> str:
    if value is None:
        return ""
    return (
        f", {_figure(change, value)} {change.unit}" if change.unit in ("sellers", "rows") else f" at {_figure(change, value)}"
    )


def _figure(change: Change, value: float | str) -> str:
    if isinstance(value, str):
        return value
    return usd(value) if change.unit and change.unit.startswith("usd") else f"{value:,.0f}"

"""Watching servers until the time is up, with what was seen so far on the screen."""

from collections.abc import Callable, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from answers.meter.answer import traffic
from answers.meter.counting import counted
from answers.meter.reading import MeterError, Scrapes, Server, is_address, saved, watched
from answers.meter.record import Asked
from answers.meter.text import show_metered

MINUTES = 1.0
"""How long servers are watched unless told otherwise."""


def watch(
    written: Sequence[str],
    *,
    minutes: float | None,
    every_s: float,
    asked: Asked,
    console: Console | None,
    now_s: float,
    on_failure: Callable[[str], None],
) -> Scrapes:
    """All scrapes of servers or saved files; Ctrl-C ends early with what there is. MeterError for what cannot be read."""
    addresses = [each for each in written if is_address(each)]
    if not addresses:
        return saved(written)
    if len(addresses) != len(written):
        raise MeterError("servers and saved scrapes are metered one by one")
    servers = [Server(each) for each in addresses]
    if len(servers) == 1 and (remembered := servers[0].prometheus(minutes=minutes or MINUTES, now_s=now_s)) is not None:
        return remembered
    found: Scrapes = {}
    rounds = watched(servers, minutes=minutes or MINUTES, every_s=every_s, on_failure=on_failure)
    try:
        if console is None or not console.is_terminal:
            for each in rounds:
                found = each
        else:
            with Live(console=console, transient=True, auto_refresh=False) as live:
                for found in rounds:
                    live.update(_so_far(found, asked, width=console.width), refresh=True)
    except KeyboardInterrupt:
        if not any(len(series) > 1 for series in found.values()):
            raise
    return found


def _so_far(found: Scrapes, asked: Asked, *, width: int) -> Group:
    """What was seen until now, without what the warehouse says."""
    screen = Console(width=width, record=True, file=_Nowhere())  # type: ignore[arg-type]
    show_metered(traffic(counted(found), asked), console=screen)
    looks = max(len(series) for series in found.values())
    return Group(Text(f"look {looks}; Ctrl-C ends with what there is", style="dim"), Text(screen.export_text()))


class _Nowhere:
    """A file that keeps nothing: the console records what is printed."""

    def write(self, text: str) -> int:
        """Take the text."""
        return len(text)

    def flush(self) -> None:
        """Nothing to do."""

"""Ctrl-C, and the SIGTERM of a service manager: the command ends at once, and its run counts as stopped, not as failed.

A refresh spends its time in long calls of compiled code, in which Python runs no signal handler. The system's own handler does
run: it writes the signal's number into a pipe, at which a thread waits that ends the process. Whatever was half written is
swept by the next refresh, as after any kill.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STOPPED = "stopped"
"""File in the data folder which says that the command that held its lock was stopped by whoever started it."""
HELD: set[Path] = set()
"""Data folders of which this process holds the lock: only then a run that is under way there is its own."""
PATIENCE_S = 1.0
"""What the records may take to be told; without it the next refresh tells them."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopped_by_signals(root: Path, *, tell_records: Callable[[], object]) -> Iterator[None]:
    """End the process with 130 at Ctrl-C and 143 at SIGTERM, within two seconds, wherever it is. For the main thread."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def wait() -> None:
        while (told := os.read(reading, 1)) and told[0] not in SIGNALS:
            pass
        if told:
            _stop(root, signal.Signals(told[0]), tell_records)

    before = {each: signal.signal(each, lambda *_: None) for each in SIGNALS}
    pipe = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=wait, daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(pipe)
        for each, handler in before.items():
            signal.signal(each, handler)
        os.close(writing)


@contextmanager
def holding(root: Path) -> Iterator[None]:
    """While a process holds the lock of a data folder."""
    HELD.add(root)
    try:
        yield
    finally:
        HELD.discard(root)


def _stop(root: Path, received: signal.Signals, tell_records: Callable[[], object]) -> None:
    if root in HELD:
        with suppress(OSError):
            (root / STOPPED).touch()
        teller = threading.Thread(target=_quietly, args=(tell_records,), daemon=True)
        teller.start()
        teller.join(PATIENCE_S)
    with suppress(OSError):
        # The progress bar hides the cursor while it is drawn.
        os.write(
            sys.stderr.fileno(), (b"\x1b[?25h\r\x1b[K" if sys.stderr.isatty() else b"") + b"stopped; nothing was published\n"
        )
    os._exit(128 + received)


def _quietly(tell_records: Callable[[], object]) -> None:
    with suppress(Exception):  # any: the next refresh tells them
        tell_records()

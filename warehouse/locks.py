"""One writer at a time for what is read, changed and written back, whoever started it: a command, a schedule, a worker.

The locks are files under `<data folder>/locks`, held by the system for the process that took them: they end with it, on one
machine and on a shared file system that knows locks (NFS 4 does).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PATIENCE_S = 600.0
"""Longer than anything here takes to be read, changed and written."""


class StillWrittenError(RuntimeError):
    """Another process has been writing the same for too long; told in one line."""


@contextmanager
def writing(root: Path, name: str, *, on_wait: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold the right to write one thing, such as a table by its name. `on_wait` is told where another has it first.

    Raises StillWrittenError after `PATIENCE_S`.
    """
    folder = root / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{name}.lock", is_singleton=True)  # so that its holder may take it once more
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait(f"another run writes {name}: this one waits for it")
            lock.acquire(timeout=PATIENCE_S)
    except Timeout:
        raise StillWrittenError(
            f"another run has been writing {name} for {PATIENCE_S:.0f} s (it holds {lock.lock_file})"
        ) from None
    try:
        yield
    finally:
        lock.release()

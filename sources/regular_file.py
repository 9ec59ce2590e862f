"""One file of somebody else's, read so that no file can stop the others: regular ones only, of a bounded size, and at rest."""

import os
import stat
from pathlib import Path

MOST_BYTES = 256_000_000
"""As of a fetched document."""
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_regular(path: Path, *, most_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of a regular file. Raises ValueError, which says why, for anything else and for what cannot be read."""
    try:
        if kind := _kind(path.stat()):  # before it is opened: to open a pipe waits, and to open a device does things
            raise ValueError(f"is {kind}, and only regular files are read")
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            before = os.fstat(file.fileno())
            if kind := _kind(before):
                raise ValueError(f"is {kind}, and only regular files are read")
            if before.st_size > most_bytes:
                raise ValueError(f"has {before.st_size / 1e6:,.0f} MB, and at most {most_bytes / 1e6:,.0f} MB are read")
            body = file.read(most_bytes + 1)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    if len(body) > most_bytes:
        raise ValueError(f"grew beyond {most_bytes / 1e6:,.0f} MB while it was read")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(body) != after.st_size:
        raise ValueError("changed while it was read; bring it again when it is whole")
    return body


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; one that cannot be asked, such as one with too long a name, is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def shown_name(path: Path) -> str:
    """The name of a file as text, whatever bytes it has: those that are no UTF-8 as `\\xe9`."""
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")


def _kind(found: os.stat_result) -> str | None:
    """What a file is in words, None where it is a regular one."""
    kind = stat.S_IFMT(found.st_mode)
    return None if kind == stat.S_IFREG else KINDS.get(kind, "something unknown")

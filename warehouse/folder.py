"""Where the data folder is and whether it can be written. Light to import: a query needs nothing else of the orchestration."""

import os
import shutil
from pathlib import Path

import platformdirs

FOLDER_VARIABLE = "ECONOMICS_DATA"
LOCK = "refresh.lock"
"""Held in the data folder by a refresh from the command line."""
SPARE_BYTES = 64_000_000
"""What a refresh writes besides the release: tables, documents, records."""
FIRST_RELEASE_BYTES = 64_000_000
FULL_BYTES = 1_000_000
"""A disk with less room than this is full: Dagster's records do not fit any more."""


PATTERN_SIGNS = "*?[]%"


class NoRoomError(OSError):
    """The data folder cannot be written, or its disk is full; told in one line."""


def data_root() -> Path:
    """The data folder: ECONOMICS_DATA, else `warehouse/data` in a checkout, else `iecon` among the user's data, wherever one
    stands: `~/.local/share` on Linux, `~/Library/Application Support` on macOS.
    """
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().resolve()
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").exists():
        return checkout / "warehouse" / "data"
    return platformdirs.user_data_path("iecon", appauthor=False)


def require_plain(root: Path) -> None:
    """Raise NoRoomError for a folder whose path libraries take for something else: patterns of files, or an address."""
    odd = sorted({sign for sign in str(root) if sign in PATTERN_SIGNS or not sign.isprintable()})
    if odd:
        raise NoRoomError(
            f"the data folder {root} has {' '.join(odd)} in its path, which stands for other files: choose another"
        )


def require_room(root: Path) -> None:
    """Make the data folder. Raises NoRoomError where it cannot be written, or lacks the room of one more release."""
    require_plain(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoRoomError(f"the data folder {root} cannot be made ({error.strerror})") from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise NoRoomError(f"the data folder {root} cannot be written; what is published there can still be asked")
    latest = root / "releases" / "latest.duckdb"
    needed = SPARE_BYTES + (latest.stat().st_size if latest.exists() else FIRST_RELEASE_BYTES)
    free = shutil.disk_usage(root).free
    if free < needed:
        raise NoRoomError(
            f"the disk of {root} has {free / 1e6:.0f} MB free, and a refresh needs {needed / 1e6:.0f} MB; nothing was changed"
        )


def is_full(root: Path) -> bool:
    """Whether the disk of the data folder has no room left."""
    return shutil.disk_usage(root).free < FULL_BYTES

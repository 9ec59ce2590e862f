"""What was put right on the way, one line each, for whoever asks later: `<data folder>/repairs.jsonl`."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

REPAIRS = "repairs.jsonl"


class Repair(msgspec.Struct, frozen=True):
    """One thing that was put right, in words."""

    at: datetime
    text: str


def note(root: Path, text: str) -> None:
    """Write a repair down, in one write."""
    with (root / REPAIRS).open("ab", buffering=0) as file:
        file.write(msgspec.json.encode(Repair(datetime.now(UTC), text)) + b"\n")


def repairs(root: Path) -> list[Repair]:
    """Repairs written down, oldest first. A line torn by a crash is left out."""
    path = root / REPAIRS
    found = []
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            found.append(msgspec.json.decode(line, type=Repair))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return found

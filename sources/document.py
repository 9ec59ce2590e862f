"""Documents shipped with this project: a file of figures, and beside it a `.source.yaml` that alone says what it is.

The citation has producer, title, url, version, as_of (the day on which it was read), licence, transcribed (what was taken,
and how) and, where one parser reads many documents, `table`: the table that the rows enter. A new document of such a table
is found by itself.
"""

import datetime
import functools
from pathlib import Path
from typing import Any

from schemas.yaml_document import read_yaml
from sources.source import Seed, Source

SEEDS = Path(__file__).parent / "seeds"
"""Captures of live sources and small tables of our own."""
TRANSCRIBED = Path(__file__).parent / "transcribed"
"""Figures taken from documents."""
NEVER_STALE = datetime.timedelta(days=36_500)
"""What was printed stays printed."""
REQUIRED = ("producer", "title", "url", "version", "as_of", "licence", "transcribed")


@functools.cache
def citation(file: Path) -> dict[str, Any]:
    """What stands in the `.source.yaml` beside a file. Raises ValueError, which names it, where a field lacks or is no date."""
    beside = file.with_suffix(".source.yaml")
    said: dict[str, Any] = read_yaml(beside.read_bytes())
    missing = [name for name in REQUIRED if not said.get(name)]
    if missing:
        raise ValueError(f"{beside.name}: {', '.join(missing)} is missing")
    try:
        as_of = datetime.date.fromisoformat(str(said["as_of"]))
    except ValueError:
        raise ValueError(f"{beside.name}: as_of is no date such as 2026-11-23: {said['as_of']}") from None
    return said | {"as_of": datetime.datetime(as_of.year, as_of.month, as_of.day, tzinfo=datetime.UTC)}


def seed(file: Path, *, cited: str | None = None) -> Seed:
    """A shipped file as the last rung of a source's ladder, dated by its citation. `cited` names that of several files."""
    return Seed(file, as_of=citation(file.with_name(cited) if cited else file)["as_of"])


def document(file: Path, *, name: str | None = None, fresh_for: datetime.timedelta = NEVER_STALE) -> Source:
    """The source of a transcribed file: nothing is fetched, and what it is comes from its citation.

    `name` is the source's name where it is not the file's. Raises ValueError where the citation lacks a field.
    """
    said = citation(file)
    return Source(
        name=name or file.stem,
        title=said["title"],
        homepage=said["url"],
        licence=said["licence"],
        live=(),
        floor=(seed(file),),
        fresh_for=fresh_for,
    )


def documents_of(table: str, *, prefix: str = "") -> tuple[Source, ...]:
    """Every transcribed file whose citation says that its rows enter `table`, by name. `prefix` goes before the file's name."""
    files = (cited.with_name(cited.name.removesuffix(".source.yaml") + ".csv") for cited in TRANSCRIBED.glob("*.source.yaml"))
    return tuple(document(file, name=f"{prefix}{file.stem}") for file in sorted(files) if citation(file).get("table") == table)

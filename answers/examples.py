"""The worked questions in SQL that ship with the project, by name: `price_frontier`, or its number, `1`."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape

import warehouse
from answers.names import not_known
from answers.text import say

FOLDER = Path(warehouse.__file__).parent / "queries"


def examples() -> dict[str, Path]:
    """Files of the worked questions by name, in the order of their numbers."""
    numbered = sorted(FOLDER.glob("*.sql"), key=lambda file: int(file.stem.partition("_")[0]))
    return {file.stem.partition("_")[2]: file for file in numbered}


def example(name: str) -> str:
    """The SQL of a worked question. Raises UnknownNameError, with what comes near, for a name that none has."""
    known = examples()
    for each, file in known.items():
        number = file.stem.partition("_")[0]
        if name.lower().removesuffix(".sql") in (each, file.stem, number, number.lstrip("0")):
            return file.read_text("utf-8")
    raise not_known("example", name, known, listed_by="iecon query --list-examples")


def show_examples(*, console: Console) -> None:
    """Print each worked question under its name."""
    for name, file in examples().items():
        say(f"[cyan]{name}[/cyan]  {escape(_question(file))}", console=console)


def _question(file: Path) -> str:
    """The comment a file begins with."""
    lines = []
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)

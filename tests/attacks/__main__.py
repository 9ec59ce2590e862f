"""Attack a copy of an installation: `uv run python -m tests.attacks damage --count 2000 --seed 0 --data ~/iecon-data`.

Every attack works on a copy in a temporary folder; nothing is done to the folder that is named. Exit code 0 says that nothing
was lost and nobody got in.
"""

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from warehouse.folder import data_root
from warehouse.seal import seal_tables

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
Data = Annotated[Path | None, typer.Option(help="Data folder that is copied; else the usual one.")]
Seed = Annotated[int, typer.Option(help="Seed of what happens; the same seed does the same.")]
Count = Annotated[int, typer.Option(min=1, help="How often.")]


@contextmanager
def copied(data: Path | None) -> Iterator[Path]:
    """A copy of a data folder, deleted afterwards."""
    root = data or data_root()
    if not (root / "releases" / "latest.duckdb").exists():
        raise typer.BadParameter(f"{root} has no warehouse: run `iecon refresh` first")
    with tempfile.TemporaryDirectory(prefix="iecon-attack-") as scratch:
        yield Path(shutil.copytree(root, Path(scratch) / "data", symlinks=True))


def report(what: str, came: Counter[str], good: set[str], started: float) -> None:
    """Say what came of an attack, and end with 1 where it was not good."""
    for name, times in came.most_common():
        print(f"{times:8,}  {name}")  # noqa: T201
    bad = {name for name in came if name not in good}
    print(f"{what}: {'NOT GOOD: ' + ', '.join(sorted(bad)) if bad else 'all good'}, {time.monotonic() - started:.0f} s")  # noqa: T201
    sys.exit(1 if bad else 0)


@app.command()
def damage(data: Data = None, seed: Seed = 0, count: Count = 2_000) -> None:
    """Damage single tables in fourteen ways and read each: it must come back as it was published."""
    from tests.attacks.damage import attack

    started = time.monotonic()
    with copied(data) as folder:
        seal_tables(folder)
        came = attack(folder, seed=seed, count=count)
    report(f"{count:,} damages, seed {seed}", came, {"healed", "unchanged"}, started)


@app.command()
def reads(count: Count = 1_000) -> None:
    """Read the published file while releases replace each other: each read must see one whole release."""
    from tests.attacks.reads import attack

    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="iecon-attack-") as scratch:
        came = attack(Path(scratch), count=count)
    report(f"{count:,} reads", came, {"whole", "releases published meanwhile", "releases seen"}, started)


@app.command()
def kills(data: Data = None, seed: Seed = 0, count: Count = 26) -> None:
    """Kill refreshes at random points: nothing may be lost or doubled, and the next one must succeed."""
    from tests.attacks.kills import attack

    started = time.monotonic()
    with copied(data) as folder:
        came = attack(folder, seed=seed, count=count, say=lambda line: print(line, flush=True))  # noqa: T201
    report(f"{count:,} kills, seed {seed}", came, {"killed", "ended before"}, started)


@app.command()
def pages() -> None:
    """Let other web pages attack the UI in Chromium: none may delete a run or wipe an asset."""
    from tests.attacks.pages import REBINDING, attack, attacks, make_victims
    from tests.browser import chromium, serving

    started = time.monotonic()
    tried = 2 * len(attacks("http://x/graphql", "")) + 1
    with tempfile.TemporaryDirectory(prefix="iecon-attack-") as scratch:
        runs = make_victims(Path(scratch), tried)
        with chromium(REBINDING) as browser, serving(Path(scratch)) as address:
            won = attack(browser, Path(scratch), address, runs)
    came = Counter({"refused": tried - len(won)}) + Counter(won)
    report(f"{tried} pages", came, {"refused"}, started)


if __name__ == "__main__":
    app()

"""What every command shares: where it prints, how it fails, and the published file it asks."""

from pathlib import Path

from answers.text import PlainConsole

out = PlainConsole()  # as wide as the terminal; in a pipe COLUMNS, else 80
err = PlainConsole(stderr=True)


class CommandError(Exception):
    """A failure that is told in one line; `code` is the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def warehouse() -> Path:
    """The latest published file. Raises CommandError where no refresh has published one."""
    from warehouse.folder import data_root  # noqa: PLC0415

    latest = data_root() / "releases" / "latest.duckdb"
    if not latest.exists():
        raise CommandError(f"no warehouse in {data_root()} yet: run `iecon refresh` first")
    return latest

"""Every command reads at 80 columns, also in a pipe: lines go on between words, and rows that do not fit are stacked."""

from pathlib import Path

import pytest

from tests.refreshed import iecon

COLUMNS = 80
COMMANDS = (
    "tables",
    "describe marts.serving_frontier",
    "doctor --all",
    "claims",
    "query FROM\\ core.llm_price_current\\ LIMIT\\ 3",
    "query FROM\\ meta.claims\\ LIMIT\\ 3",
    "price --top 5",
    "runs",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_is_longer_than_the_screen_unless_one_word_is(refreshed: Path, command: str):
    words = [word.replace("\\", " ") for word in command.replace("\\ ", "\\").split()]
    done = iecon(refreshed, *words, COLUMNS=str(COLUMNS))
    assert done.returncode == 0, done.stderr
    long = [line for line in done.stdout.splitlines() if len(line.rstrip()) > COLUMNS]
    assert [line for line in long if max(map(len, line.split())) < COLUMNS - 40] == []

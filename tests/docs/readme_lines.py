"""What the README shows of a first run, compared with one: `python -m tests.docs.readme_lines FOLDER` writes it anew.

A block of ```console holds commands (`$ uv run iecon ...`), each followed by what it prints at 80 columns. A last line of dots
stands for what is left out: as many lines are shown as stand there.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.refreshed import ROOT

PAGE = ROOT / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPT = "$ uv run iecon "
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """Arguments of every command of the page that needs no file of one's own."""
    lines = [line for block in COMMANDS.findall(page) for line in block.splitlines()]
    lines += [
        line.removeprefix("$ ") for block in BLOCK.findall(page) for line in block.splitlines() if line.startswith(PROMPT)
    ]
    return [shlex.split(line)[3:] for line in lines if "your-" not in line and "--open" not in line]


def rewritten(page: str, folder: Path) -> str:
    """The page with what the commands print over a data folder in place of what it shows."""
    return BLOCK.sub(lambda block: f"```console\n{_block(block[1], folder)}```", page)


def _block(text: str, folder: Path) -> str:
    lines = []
    for part in re.split(r"^(?=\$ )", text, flags=re.MULTILINE):
        if not part:
            continue
        command, *shown = part.splitlines()
        printed = [line.rstrip() for line in printed_by(shlex.split(command)[4:], folder).splitlines()]
        most = len(shown) - 1 if shown and shown[-1] == "..." and len(shown) > 1 else len(printed)
        lines += [command, *printed[:most], *(["..."] if most < len(printed) else [])]
    return "\n".join(lines) + "\n"


def printed_by(arguments: list[str], folder: Path) -> str:
    """What a command prints at 80 columns. Raises CalledProcessError where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=ROOT,
        env=os.environ | {"ECONOMICS_DATA": str(folder), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(), Path(sys.argv[1])))

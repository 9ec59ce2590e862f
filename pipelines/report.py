"""Where the report is, and how to open it. Light to import: no orchestrator is needed to read a page."""

import webbrowser
from pathlib import Path

from rich.console import Console

from figures import FOLDER, PAGE


def show_report(root: Path, *, open_it: bool, out: Console, err: Console) -> bool:
    """Print where the report is and, on request, open it in the browser. False where no refresh has built it yet."""
    page = root / FOLDER / PAGE
    if not page.exists():
        err.print(f"no report in {root} yet: run `iecon refresh` first", highlight=False, soft_wrap=True)
        return False
    out.print(str(page), highlight=False, soft_wrap=True)
    if open_it and not webbrowser.open(page.as_uri()):
        err.print("no browser could be started: open the file above", highlight=False)
    return True

"""Every line of docs/python.md runs."""

import re
from pathlib import Path

import pytest

from tests.refreshed import ROOT

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.DOTALL)


def test_every_line_of_the_page_runs(refreshed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECONOMICS_DATA", str(refreshed))
    assert len(BLOCKS) >= 4
    exec("\n".join(BLOCKS), {})


def test_a_folder_without_a_release_is_named(tmp_path: Path) -> None:
    import iecon

    with pytest.raises(FileNotFoundError, match="iecon refresh"):
        iecon.sql("SELECT 1", data=tmp_path)

"""Where the data folder is."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.refreshed import ROOT
from warehouse import folder


def test_a_checkout_keeps_its_data_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(folder.FOLDER_VARIABLE, raising=False)
    assert folder.data_root() == ROOT / "warehouse" / "data"


def test_a_variable_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(folder.FOLDER_VARIABLE, str(tmp_path))
    assert folder.data_root() == tmp_path.resolve()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("uv") is None, reason="builds a wheel with uv")
def test_an_installed_copy_keeps_its_data_with_the_user_wherever_it_is_started(tmp_path: Path) -> None:
    built = subprocess.run(
        ["uv", "build", "--wheel", "-o", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if built.returncode:
        pytest.skip(f"no wheel can be built here: {built.stderr.splitlines()[-1]}")
    (wheel,) = tmp_path.glob("*.whl")
    site, home = tmp_path / "site", tmp_path / "home"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    environment = {name: value for name, value in os.environ.items() if name != folder.FOLDER_VARIABLE}
    environment |= {"PYTHONPATH": str(site), "XDG_DATA_HOME": str(home), "HOME": str(home)}
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        asked = "import iecon; from warehouse.folder import data_root; print(iecon.__file__, data_root())"
        done = subprocess.run(
            [sys.executable, "-c", asked], cwd=tmp_path / place, env=environment, capture_output=True, text=True, check=True
        )
        where, root = done.stdout.split()
        assert Path(where).is_relative_to(site)
        assert Path(root).is_relative_to(home)
        assert Path(root).name == "iecon"
        listed = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "query", "--list-examples"],
            cwd=tmp_path / place,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "price_frontier" in listed.stdout

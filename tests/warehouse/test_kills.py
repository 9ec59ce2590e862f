"""Refreshes killed at seeded random points, over all assets: nothing is lost or doubled, and the next one succeeds."""

import shutil
from pathlib import Path

import pytest

from tests.attacks.kills import PARTS, attack

KILLS = 38


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(PARTS))
def test_killed_refreshes_lose_and_double_nothing_and_the_next_succeeds(refreshed: Path, tmp_path: Path, seed: int):
    folder = Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))
    assert attack(folder, seed=seed, count=KILLS, say=print)["killed"] == KILLS

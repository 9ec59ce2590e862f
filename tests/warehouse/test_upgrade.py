"""The folder of an earlier version goes on in this one: checksums are added once, and no history begins again."""

from pathlib import Path

import pytest

from schemas.prices.llm_prices import LlmPrice
from tests.attacks.previous import make_previous
from tests.refreshed import built_at, iecon
from tests.warehouse.test_faults import run
from warehouse import checksum
from warehouse.recovery import damaged_files, previous_table
from warehouse.resources import NOW_TAG
from warehouse.store import CHECKED, read_table, table_path


@pytest.mark.slow
def test_first_refresh_over_the_folder_of_an_earlier_version_keeps_every_row(refreshed: Path, tmp_path: Path):
    folder = make_previous(refreshed, tmp_path / "data")
    assert not checksum.is_stated(table_path(folder / "tables", LlmPrice))
    before = read_table(refreshed / "tables", LlmPrice)
    outcome = run(folder, "publish", tags={NOW_TAG: built_at(refreshed).isoformat()})
    assert outcome.success
    assert any("tables of an older version carry a checksum now" in note for note in outcome.notes)
    assert damaged_files(folder) == frozenset()
    assert (folder / "tables" / CHECKED).exists()
    after = previous_table(folder / "tables", LlmPrice)
    assert before is not None
    assert after.equals(before)
    again = run(folder, "publish", tags={NOW_TAG: built_at(refreshed).isoformat()})
    assert again.notes == []
    asked = iecon(folder, "query", "SELECT count(price_window) AS n FROM core.llm_price", "--format", "csv")
    assert asked.stdout.splitlines() == ["n", str(before.height)]

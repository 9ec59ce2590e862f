"""Every table's file carries its checksum: damage, exchange and old types are noticed before a reader meets them."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from schemas.base import polars_schema
from schemas.prices.llm_prices import LlmPrice
from tests.attacks.damage import attack
from tests.refreshed import ROOT
from tests.warehouse.test_publish import AT, price, release
from warehouse import checksum
from warehouse.publish import publish
from warehouse.recovery import DAMAGED, damaged_files, heal_release, last_good, previous_table, restore_missing
from warehouse.repairs import repairs
from warehouse.seal import seal_tables
from warehouse.store import CHECKED, DamagedTableError, read_table, table_path, write_frame


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a table with one row, in a folder where every table has a checksum."""
    path = table_path(tmp_path / "tables", LlmPrice)
    write_frame(path, price(2.5))
    (tmp_path / "tables" / CHECKED).touch()
    return path


def test_any_reader_of_parquet_still_reads_it(path: Path):
    assert pq.read_table(path)["usd_per_mtok"].to_pylist() == [2.5]
    assert duckdb.sql(f"SELECT usd_per_mtok FROM read_parquet('{path}')").fetchall() == [(2.5,)]
    assert checksum.fault(path) is None


def test_every_single_bit_is_noticed(path: Path):
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        assert checksum.fault(path) is not None, at


def test_file_of_another_table_is_noticed(path: Path, tmp_path: Path):
    other = tmp_path / "tables" / "raw" / "other.parquet"
    write_frame(other, price(1.0))
    shutil.copy(other, path)
    with pytest.raises(DamagedTableError, match="the file of another table"):
        read_table(tmp_path / "tables", LlmPrice)


def test_file_without_checksum_is_of_an_older_version_until_all_have_one(path: Path, tmp_path: Path):
    price(2.5).write_parquet(path)
    with pytest.raises(DamagedTableError, match="carries no checksum"):
        read_table(tmp_path / "tables", LlmPrice)
    (tmp_path / "tables" / CHECKED).unlink()
    frame = read_table(tmp_path / "tables", LlmPrice)
    assert frame is not None
    seal_tables(tmp_path)
    assert checksum.fault(path) is None
    assert frame.equals(price(2.5))


def test_older_table_that_ends_its_reader_is_set_aside(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Damage that aborts the process, as some does, cannot be kept in a file that stays the same over versions of polars."""
    price(2.5).write_parquet(path)
    (tmp_path / "tables" / CHECKED).unlink()
    real = subprocess.run

    def aborted(command, **options):
        return real([sys.executable, "-c", "import os; os.abort()"], **options)

    monkeypatch.setattr("warehouse.seal.subprocess.run", aborted)
    seal_tables(tmp_path)
    assert not path.exists()
    assert len(damaged_files(tmp_path)) == 1
    assert (tmp_path / "tables" / CHECKED).exists()


def test_column_whose_type_has_changed_is_migrated_and_what_does_not_fit_is_kept_aside(tmp_path: Path):
    path = table_path(tmp_path / "tables", LlmPrice)
    older = pl.concat([price(2.5), price(3.5)]).with_columns(
        usd_per_mtok=pl.Series(["2.5", "three"]), fx_note=pl.Series([[1], [2]])
    )
    write_frame(path, older)
    frame = previous_table(tmp_path / "tables", LlmPrice)
    assert frame.schema == polars_schema(LlmPrice)
    assert frame["usd_per_mtok"].to_list() == [2.5]
    assert frame["fx_note"].to_list() == [None]
    assert len(damaged_files(tmp_path)) == 1
    assert "1 of 2 rows" in repairs(tmp_path)[-1].text
    assert previous_table(tmp_path / "tables", LlmPrice).equals(frame)
    assert len(damaged_files(tmp_path)) == 1


def test_type_that_still_fits_costs_nothing(tmp_path: Path):
    path = table_path(tmp_path / "tables", LlmPrice)
    write_frame(path, price(2.5).with_columns(pl.col("tier_min_tokens").cast(pl.Int8)))
    assert previous_table(tmp_path / "tables", LlmPrice).equals(price(2.5))
    assert damaged_files(tmp_path) == frozenset()


def test_missing_history_is_not_a_new_one(tmp_path: Path):
    release(tmp_path, 2.5)
    shutil.rmtree(tmp_path / "tables")
    assert previous_table(tmp_path / "tables", LlmPrice).equals(price(2.5))
    assert "is put back as it was last published: 1 rows" in repairs(tmp_path)[-1].text


def test_missing_tables_are_put_back_before_anything_is_published(tmp_path: Path):
    release(tmp_path, 2.5)
    shutil.rmtree(tmp_path / "tables")
    restore_missing(tmp_path / "tables")
    newest = publish(tables=tmp_path / "tables", releases=tmp_path / "releases", run_id="again", at=AT, keep=1)
    with duckdb.connect(str(newest), read_only=True) as connection:
        assert connection.execute("SELECT usd_per_mtok FROM core.llm_price").fetchall() == [(2.5,)]


def test_damage_of_many_kinds_is_healed_by_reading(refreshed: Path, tmp_path: Path):
    folder = Path(
        shutil.copytree(refreshed, tmp_path / "data", symlinks=True, ignore=shutil.ignore_patterns("dagster", "report"))
    )
    came = attack(folder, seed=1, count=60)
    assert set(came) <= {"healed", "unchanged"}
    assert came["healed"] > 50
    assert not (folder / DAMAGED).exists()


def test_link_onto_itself_is_replaced(tmp_path: Path):
    first = release(tmp_path, 2.5)
    latest = tmp_path / "releases" / "latest.duckdb"
    latest.unlink()
    latest.symlink_to("latest.duckdb")
    heal_release(tmp_path / "releases")
    assert latest.resolve() == first
    latest.unlink()
    latest.symlink_to("latest.duckdb")
    assert last_good(tmp_path / "tables", LlmPrice) is not None
    second = release(tmp_path, 3.5, hours=1)
    assert latest.resolve() == second


def test_release_of_a_clock_that_ran_ahead_goes_first(tmp_path: Path):
    ahead = release(tmp_path, 1.0, hours=24 * 365)
    for hour in range(3):
        newest = release(tmp_path, 2.0 + hour, hours=hour, keep=2)
    assert not ahead.exists()
    assert (tmp_path / "releases" / "latest.duckdb").resolve() == newest
    assert len(list((tmp_path / "releases").glob("*Z-*.duckdb"))) == 2


WRITER = """
import sys, dagster as dg, polars as pl
from datetime import UTC, datetime
from pathlib import Path
from schemas.evidence.provenance import Refresh
from schemas.base import polars_schema
from warehouse.resources import DataFolder
from warehouse.table import table

@table(schema=Refresh, group="g", may_be_empty=True)
def refresh(previous: pl.DataFrame, context: dg.AssetExecutionContext) -> pl.DataFrame:
    row = {"run_id": context.run_id, "started_at": datetime.now(UTC), "asset": "a", "outcome": "written"}
    return pl.concat([previous, pl.DataFrame([row], schema=polars_schema(Refresh))])

for _ in range(4):
    done = dg.materialize([refresh], resources={"data": DataFolder(root=sys.argv[1])},
                          run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}})
    assert done.success
"""


@pytest.mark.slow
def test_of_writers_at_once_none_loses_a_row(tmp_path: Path):
    """Four processes that know nothing of each other, as a schedule, a command and two workers would be."""
    from schemas.evidence.provenance import Refresh

    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], cwd=ROOT) for _ in range(4)]
    assert [each.wait(timeout=240) for each in writers] == [0] * 4
    frame = read_table(tmp_path / "tables", Refresh)
    assert frame is not None
    assert frame.height == 16


def test_second_writer_says_that_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from warehouse import locks

    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nfrom pathlib import Path\nfrom warehouse.locks import writing\n"
            f"with writing(Path({str(tmp_path)!r}), 'core.x'):\n    print('held', flush=True)\n    sys.stdin.read()\n",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    said: list[str] = []
    monkeypatch.setattr(locks, "PATIENCE_S", 0.2)
    with (
        pytest.raises(locks.StillWrittenError, match=r"another run has been writing core\.x"),
        locks.writing(tmp_path, "core.x", on_wait=said.append),
    ):
        pass
    assert said == ["another run writes core.x: this one waits for it"]
    holder.communicate("", timeout=20)
    with locks.writing(tmp_path, "core.x"), locks.writing(tmp_path, "core.x"):
        pass


def test_day_of_a_repair_is_kept(tmp_path: Path):
    release(tmp_path, 2.5)
    table_path(tmp_path / "tables", LlmPrice).write_bytes(b"half")
    last_good(tmp_path / "tables", LlmPrice)
    assert {each.at.date() for each in repairs(tmp_path)} == {datetime.now(UTC).date()}

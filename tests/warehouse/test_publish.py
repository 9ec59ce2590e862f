"""A release is complete or not there: comments, types, readers that hold it open, and what is kept."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from schemas.base import polars_schema
from schemas.prices.llm_prices import LlmPrice
from schemas.registry import TABLES
from warehouse.publish import publish
from warehouse.recovery import LATEST, damaged_files, previous_table
from warehouse.store import read_table, table_path, write_frame

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def price(usd_per_mtok: float) -> pl.DataFrame:
    row = {
        "provider": "openai",
        "model": "gpt-4o",
        "source_provider": "openai",
        "source_model": "gpt-4o",
        "leg": "input",
        "tier_min_tokens": 0,
        "variant": "standard",
        "price_window": "always",
        "usd_per_mtok": usd_per_mtok,
        "valid_from": AT.date(),
        "date_basis": "observed",
        "source": "litellm",
        "observed_at": AT,
        "region": "global",
        "seen_on": AT.date(),
        "evidence_on": AT.date(),
        "status": "believed",
    }
    return pl.DataFrame([row], schema=polars_schema(LlmPrice))


def release(folder: Path, usd_per_mtok: float, *, hours: int = 0, keep: int = 5) -> Path:
    write_frame(table_path(folder / "tables", LlmPrice), LlmPrice.validate(price(usd_per_mtok)))
    return publish(
        tables=folder / "tables",
        releases=folder / "releases",
        run_id=f"run{hours:05d}",
        at=AT + timedelta(hours=hours),
        keep=keep,
    )


def test_every_column_has_its_comment_and_the_unit_can_be_queried(tmp_path: Path):
    with duckdb.connect(str(release(tmp_path, 2.5)), read_only=True) as connection:
        comment, unit, kind = connection.execute(
            "SELECT description, unit, data_type FROM meta.columns "
            "WHERE table_name = 'core.llm_price' AND column_name = 'usd_per_mtok'"
        ).fetchone()
        leg = connection.execute("SELECT data_type FROM duckdb_columns() WHERE table_name='llm_price' AND column_name='leg'")
        assert (comment, unit, kind) == ("price per million tokens [usd_per_mtok]", "usd_per_mtok", "DOUBLE")
        assert leg.fetchone()[0].startswith("ENUM('input', 'output'")
        uncommented = connection.execute(
            "SELECT count(*) FROM duckdb_columns() WHERE schema_name='core' AND comment IS NULL AND table_name='llm_price'"
        )
        assert uncommented.fetchone()[0] == 0


def test_table_of_an_older_version_is_published_with_what_it_lacks_unknown(tmp_path: Path):
    path = table_path(tmp_path / "tables", LlmPrice)
    older = price(2.5).drop("date_basis", "observed_at").with_columns(gone=pl.lit(1))
    write_frame(path, older.select(reversed(older.columns)))
    file = publish(tables=tmp_path / "tables", releases=tmp_path / "releases", run_id="run", at=AT, keep=5)
    with duckdb.connect(str(file), read_only=True) as connection:
        published = connection.execute("FROM core.llm_price")
        assert [each[0] for each in published.description] == list(polars_schema(LlmPrice))
        assert connection.execute("SELECT usd_per_mtok, date_basis FROM core.llm_price").fetchall() == [(2.5, None)]


def test_past_day_can_be_rebuilt_by_a_macro(tmp_path: Path):
    with duckdb.connect(str(release(tmp_path, 2.5)), read_only=True) as connection:
        before = connection.execute("SELECT count(*) FROM core.llm_price_on(DATE '2026-11-22')").fetchone()[0]
        after = connection.execute("SELECT usd_per_mtok FROM core.llm_price_on(DATE '2026-11-23')").fetchall()
    assert (before, after) == (0, [(2.5,)])


def test_open_reader_neither_blocks_a_release_nor_sees_it(tmp_path: Path):
    release(tmp_path, 2.5)
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import duckdb, sys\n"
                f"connection = duckdb.connect({str(tmp_path / 'releases' / LATEST)!r}, read_only=True)\n"
                "for line in sys.stdin:\n"
                "    print(connection.execute('SELECT usd_per_mtok FROM core.llm_price').fetchall(), flush=True)\n"
            ),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    try:
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "[(2.5,)]\n"
        release(tmp_path, 1.25, hours=1)
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "[(2.5,)]\n"
    finally:
        reader.stdin.close()
        reader.wait(timeout=20)
    with duckdb.connect(str((tmp_path / "releases" / LATEST).resolve()), read_only=True) as connection:
        assert connection.execute("SELECT usd_per_mtok FROM core.llm_price").fetchall() == [(1.25,)]


def test_newest_releases_are_kept(tmp_path: Path):
    for hour in range(4):
        release(tmp_path, 1.0 + hour, hours=hour, keep=2)
    newest = release(tmp_path, 9.0, hours=4, keep=2)
    files = sorted(path.name for path in (tmp_path / "releases").iterdir())
    assert len(files) == 3
    assert (tmp_path / "releases" / LATEST).resolve() == newest


def test_clock_that_jumps_back_does_not_make_an_old_release_the_current_one(tmp_path: Path):
    for hour in (3, 4, 1):
        newest = release(tmp_path, 1.0 + hour, hours=hour, keep=2)
    assert (tmp_path / "releases" / LATEST).resolve() == newest
    with duckdb.connect(str(newest), read_only=True) as connection:
        assert connection.execute("SELECT usd_per_mtok FROM core.llm_price").fetchall() == [(2.0,)]


def test_build_that_fails_leaves_the_last_release(tmp_path: Path):
    release(tmp_path, 2.5)
    write_frame(table_path(tmp_path / "tables", LlmPrice), price(2.5).with_columns(leg=pl.lit("no such leg")))
    with pytest.raises(duckdb.Error):
        publish(tables=tmp_path / "tables", releases=tmp_path / "releases", run_id="broken", at=AT, keep=5)
    with duckdb.connect(str(tmp_path / "releases" / LATEST), read_only=True) as connection:
        assert connection.execute("SELECT usd_per_mtok FROM core.llm_price").fetchall() == [(2.5,)]


def test_table_that_cannot_be_read_is_published_as_it_was_before(tmp_path: Path):
    release(tmp_path, 2.5)
    table_path(tmp_path / "tables", LlmPrice).write_bytes(b"not parquet")
    newest = publish(
        tables=tmp_path / "tables", releases=tmp_path / "releases", run_id="healed", at=AT + timedelta(hours=1), keep=5
    )
    with duckdb.connect(str(newest), read_only=True) as connection:
        assert connection.execute("SELECT usd_per_mtok FROM core.llm_price").fetchall() == [(2.5,)]
    assert len(damaged_files(tmp_path)) == 1


def test_table_written_before_a_column_existed_reads_with_null(tmp_path: Path):
    write_frame(table_path(tmp_path, LlmPrice), price(2.5).drop("fx_note"))
    frame = read_table(tmp_path, LlmPrice)
    assert frame is not None
    assert frame["fx_note"].to_list() == [None]


@pytest.mark.parametrize("schema", TABLES.values(), ids=TABLES)
def test_table_never_built_is_an_empty_frame_of_its_contract(schema, tmp_path: Path):
    assert previous_table(tmp_path, schema).schema == polars_schema(schema)

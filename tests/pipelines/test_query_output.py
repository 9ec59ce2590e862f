"""What `iecon query` writes is what was asked: all rows, in the format of the file's name, or one line that says why not."""

import csv
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import duckdb
import polars as pl
import pytest
from rich.console import Console

from answers.query import QuestionError, StoppedError, run_query
from answers.written import OutputError, distinct, format_of
from tests.refreshed import ROOT, iecon

ROWS = "SELECT i, i / 2 AS half, 'row ' || i AS text FROM range(1000) t(i)"


@pytest.fixture
def warehouse_file(tmp_path: Path) -> Path:
    """A small published file in a data folder of its own."""
    latest = tmp_path / "data" / "releases" / "latest.duckdb"
    latest.parent.mkdir(parents=True)
    with duckdb.connect(str(latest)) as connection:
        connection.execute("CREATE SCHEMA core; CREATE TABLE core.gpu AS SELECT 'h100' AS gpu; CREATE TYPE leg AS ENUM ('=in')")
    return latest


def ask(warehouse: Path, sql: str, output: Path | None = None, **options) -> str:
    screen = StringIO()
    format = format_of(output, options.pop("format", None))
    run_query(warehouse, sql, format=format, output=output, console=Console(file=screen, width=200), **options)
    return screen.getvalue()


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet", "txt", "CSV"])
def test_file_has_all_rows_in_the_format_of_its_name(warehouse_file: Path, tmp_path: Path, suffix: str):
    file = tmp_path / f"rows.{suffix}"
    ask(warehouse_file, ROWS, file)
    if suffix == "parquet":
        assert pl.read_parquet(file).rows()[-1] == (999, 499.5, "row 999")
    elif suffix == "json":
        assert json.loads(file.read_text())[-1] == {"i": 999, "half": 499.5, "text": "row 999"}
    elif suffix == "txt":
        assert len(file.read_text().splitlines()) == 1001
    else:
        assert list(csv.reader(file.open()))[-1] == ["999", "499.5", "row 999"]
    assert [path.name for path in tmp_path.iterdir()] == ["data", file.name] or len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("name", "stated", "complaint"),
    [("rows", None, "does not say its format"), ("rows.xlsx", None, "end it in .csv"), ("rows.parquet", "csv", "would be csv")],
)
def test_name_that_says_no_format_or_another_is_bad_usage(tmp_path: Path, name: str, stated, complaint: str):
    with pytest.raises(OutputError, match=complaint) as error:
        format_of(tmp_path / name, stated)
    assert error.value.code == 2


def test_screen_shows_the_first_rows_and_says_so(warehouse_file: Path):
    assert "first 200 rows; add LIMIT, or --output FILE for all" in ask(warehouse_file, ROWS)


def test_columns_of_one_name_are_told_apart(warehouse_file: Path, tmp_path: Path):
    sql = "SELECT 1 AS a, 2 AS a, 3 AS a_2"
    assert distinct(["a", "a", "a_2", "a"]) == ["a", "a_3", "a_2", "a_4"]
    for suffix in ("csv", "json", "parquet"):
        ask(warehouse_file, sql, tmp_path / f"x.{suffix}")
    assert json.loads((tmp_path / "x.json").read_text()) == [{"a": 1, "a_3": 2, "a_2": 3}]
    assert pl.read_parquet(tmp_path / "x.parquet").rows(named=True) == [{"a": 1, "a_3": 2, "a_2": 3}]
    assert (tmp_path / "x.csv").read_text() == "a,a_3,a_2\n1,2,3\n"


def test_what_json_has_no_number_for_is_null_and_odd_types_are_written(warehouse_file: Path, tmp_path: Path):
    sql = "SELECT 'nan'::DOUBLE n, ['inf'::DOUBLE] l, 1.50::DECIMAL(5,2) d, INTERVAL 1 DAY i, {'k': 1} s, NULL z"
    for suffix in ("csv", "json", "parquet"):
        ask(warehouse_file, sql, tmp_path / f"x.{suffix}")
    (row,) = json.loads((tmp_path / "x.json").read_text(), parse_constant=lambda _: pytest.fail("no JSON"))
    assert (row["n"], row["l"], row["d"], row["s"], row["z"]) == (None, [None], 1.5, {"k": 1}, None)
    assert pl.read_parquet(tmp_path / "x.parquet").height == 1
    assert "1.50" in (tmp_path / "x.csv").read_text()


def test_no_rows_are_an_empty_list_and_a_header(warehouse_file: Path, tmp_path: Path):
    sql = "SELECT 1 AS a WHERE false"
    for suffix in ("csv", "json", "parquet"):
        ask(warehouse_file, sql, tmp_path / f"x.{suffix}")
    assert (tmp_path / "x.json").read_text() == "[]\n"
    assert (tmp_path / "x.csv").read_text() == "a\n"
    assert pl.read_parquet(tmp_path / "x.parquet").columns == ["a"]


@pytest.mark.parametrize("sql", ["", "  ", "-- only a comment", ";"])
def test_empty_sql_is_bad_usage(warehouse_file: Path, sql: str):
    with pytest.raises(QuestionError, match="no statement"):
        ask(warehouse_file, sql)


def test_of_several_statements_only_the_last_may_return_rows(warehouse_file: Path):
    assert "7" in ask(warehouse_file, "CREATE TEMP TABLE x AS SELECT 7 AS seven; FROM x")
    with pytest.raises(QuestionError, match="statement 1 of 2 returns rows"):
        ask(warehouse_file, "SELECT 1; SELECT 2")


def test_question_is_stopped_when_its_time_is_up(warehouse_file: Path):
    with pytest.raises(StoppedError, match=r"not finished after 0\.3 s"):
        ask(warehouse_file, "SELECT count(*) FROM range(100000000000) a, range(1000) b", timeout_s=0.3)


def test_memory_is_bounded_and_a_wrong_bound_is_bad_usage(warehouse_file: Path):
    with pytest.raises(duckdb.OutOfMemoryException):
        ask(warehouse_file, "SELECT list(i) FROM range(50000000) t(i)", memory="50MB")
    with pytest.raises(QuestionError, match="--memory much"):
        ask(warehouse_file, "SELECT 1", memory="much")


@pytest.mark.parametrize("kind", ["inside", "link", "link to a folder", "hard link"])
def test_nothing_is_written_into_the_data_folder(warehouse_file: Path, tmp_path: Path, kind: str):
    before, data = warehouse_file.read_bytes(), tmp_path / "data"
    file = data / "rows.csv"
    if kind == "link":
        file = tmp_path / "rows.csv"
        file.symlink_to(warehouse_file)
    elif kind == "link to a folder":
        (tmp_path / "linked").symlink_to(data)
        file = tmp_path / "linked" / "rows.csv"
    elif kind == "hard link":
        file = tmp_path / "rows.csv"
        os.link(warehouse_file, file)
    if kind == "hard link":  # the name is replaced, not what it was a name of
        ask(warehouse_file, ROWS, file)
    else:
        with pytest.raises(OutputError, match="lies in the data folder"):
            ask(warehouse_file, ROWS, file)
    assert warehouse_file.read_bytes() == before
    assert [path.name for path in data.iterdir()] == ["releases"]


def test_question_that_fails_leaves_the_file_that_was_there(warehouse_file: Path, tmp_path: Path):
    file = tmp_path / "rows.csv"
    file.write_text("before")
    with pytest.raises(duckdb.Error):
        ask(warehouse_file, "SELECT error('half-way') FROM range(3)", file)
    assert file.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 2


def test_text_is_no_formula_in_a_spreadsheet_where_that_is_asked_and_numbers_stay(warehouse_file: Path, tmp_path: Path):
    sql = "SELECT '=1+1' a, '@x' b, -5 c, '-x' d, '\tx' e, 'x=1' f, '=in'::leg g, NULL::VARCHAR h, '+1' i"
    file = tmp_path / "rows.csv"
    ask(warehouse_file, sql, file)
    assert list(csv.reader(file.open()))[1] == ["=1+1", "@x", "-5", "-x", "\tx", "x=1", "=in", "", "+1"]
    ask(warehouse_file, sql, file, for_spreadsheet=True)
    assert list(csv.reader(file.open()))[1] == ["'=1+1", "'@x", "-5", "'-x", "'\tx", "x=1", "'=in", "", "'+1"]


MEASURED = """
import re, sys
from pathlib import Path
from rich.console import Console
from answers.query import run_query
from answers.written import format_of
file = Path(sys.argv[2])
run_query(Path(sys.argv[1]), "SELECT i, i * 1.5 AS x, 'abc' || i AS t FROM range(%d) t(i)" % int(sys.argv[3]),
          format=format_of(file, None), output=file, console=Console(), memory="200MB")
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1e3)  # since exec, unlike ru_maxrss
"""


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_twenty_million_rows_take_less_than_500_mb(warehouse_file: Path, tmp_path: Path, suffix: str):
    file = tmp_path / f"rows.{suffix}"
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(warehouse_file), str(file), "20000000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 500
    if suffix == "parquet":
        assert pl.scan_parquet(file).select(pl.len()).collect().item() == 20_000_000


def test_command_writes_by_the_name_of_the_file(refreshed: Path, tmp_path: Path):
    done = iecon(refreshed, "query", "FROM core.llm_price", "-o", str(tmp_path / "prices.parquet"))
    assert done.returncode == 0, done.stderr
    ((rows,),) = duckdb.sql(f"SELECT count(*) FROM read_parquet('{tmp_path}/prices.parquet')").fetchall()
    assert rows > 1_000
    assert iecon(refreshed, "query", "FROM core.llm_price", "-o", str(tmp_path / "prices")).returncode == 2

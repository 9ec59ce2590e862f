"""The command as a person meets it: what it prints, how it fails, what it exits with."""

import json
import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer

from pipelines.cli import app, name_of
from pipelines.commands.examples import EXAMPLES
from tests.refreshed import ROOT, iecon


def test_refresh_prints_one_line_per_asset_with_where_it_came_from(tmp_path_factory: pytest.TempPathFactory, refreshed: Path):
    done = iecon(refreshed, "query", "SELECT asset, served_from, outcome FROM meta.refresh", "--format", "json")
    steps = {row["asset"]: row for row in json.loads(done.stdout)}
    assert steps["source.genai_prices"]["served_from"] == "installed"
    assert {row["outcome"] for row in steps.values()} == {"written"}


@pytest.mark.parametrize("format", ["csv", "json", "table"])
def test_query_prints_rows_in_each_format(refreshed: Path, format: str):
    done = iecon(refreshed, "query", "SELECT 1.5 AS price, NULL AS unknown, 'a,b' AS text", "--format", format)
    assert done.returncode == 0, done.stderr
    if format == "csv":
        assert done.stdout == 'price,unknown,text\n1.5,,"a,b"\n'
    elif format == "json":
        assert json.loads(done.stdout) == [{"price": 1.5, "unknown": None, "text": "a,b"}]
    else:
        assert "NULL" in done.stdout


def test_query_may_begin_with_a_comment_or_stand_in_a_file(refreshed: Path, tmp_path: Path):
    sql = "-- how many?\nSELECT 40 + 2 AS answer"
    (tmp_path / "question.sql").write_text(sql)
    assert "42" in iecon(refreshed, "query", sql).stdout
    assert "42" in iecon(refreshed, "query", "--file", str(tmp_path / "question.sql")).stdout
    assert iecon(refreshed, "query").returncode == 2


def test_query_writes_parquet_for_any_other_engine(refreshed: Path, tmp_path: Path):
    file = tmp_path / "prices.parquet"
    done = iecon(refreshed, "query", "FROM core.llm_price_current LIMIT 3", "--format", "parquet", "--output", str(file))
    assert done.returncode == 0, done.stderr
    assert pq.read_table(file).num_rows == 3


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT * FROM core.gpu_prise", 'Did you mean "gpu_price"'),
        ("SELECT * FROM core.no_such_table", "no_such_table"),
        ("DELETE FROM core.llm_price", "read-only"),
        ("SELECT * FROM read_csv('/etc/passwd')", "disabled by configuration"),
        ("COPY (SELECT 1) TO '/tmp/iecon-should-not-exist.csv'", "disabled by configuration"),
    ],
)
def test_bad_or_harmful_sql_is_told_in_the_words_of_duckdb_with_exit_code_1(refreshed: Path, sql: str, complaint: str):
    done = iecon(refreshed, "query", sql)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_the_place_of_a_mistake_in_sql_is_marked(refreshed: Path):
    *_, line, mark = iecon(refreshed, "query", "SELECT modle FROM core.gpu_price").stderr.splitlines()
    assert line[mark.index("^") :].startswith("modle")


@pytest.mark.parametrize("name", ["price_frontier", "01_price_frontier", "1", "price_frontier.sql"])
def test_worked_questions_are_asked_by_name(refreshed: Path, name: str):
    assert "cpm_usd_per_mtok" in iecon(refreshed, "query", "--example", name).stdout


def test_worked_questions_are_listed_and_near_names_told(refreshed: Path):
    listed = iecon(refreshed, "query", "--list-examples").stdout
    assert "price_frontier  Which models does no other beat in price and capability today?" in listed
    wrong = iecon(refreshed, "query", "--example", "price_frontire")
    assert wrong.returncode == 2
    assert "did you mean price_frontier" in wrong.stderr


def test_debug_shows_the_traceback(refreshed: Path):
    assert "Traceback" in iecon(refreshed, "--debug", "query", "SELEC 1").stderr


def test_bad_usage_is_exit_code_2(refreshed: Path):
    assert iecon(refreshed, "refresh", "--only", "no_such_group").returncode == 2
    assert iecon(refreshed, "nonsense").returncode == 2


def test_query_before_the_first_refresh_says_what_to_do(tmp_path: Path):
    done = iecon(tmp_path, "query", "SELECT 1")
    assert done.returncode == 1
    assert "run `iecon refresh` first" in done.stderr


def test_tables_and_describe_tell_what_there_is(refreshed: Path):
    assert "core.llm_price_current" in iecon(refreshed, "tables").stdout
    some = iecon(refreshed, "tables", "core.gpu_rent*").stdout
    assert "core.gpu_rent_by_gpu" in some
    assert "core.llm_price" not in some
    shown = iecon(refreshed, "describe", "core.llm_price").stdout
    assert "price per million tokens" in shown
    assert "usd_per_mtok" in shown


@pytest.mark.parametrize(
    ("name", "column"),
    [("core.gpu_rent_by_gpu", "median_usd_per_gpu_hour"), ("gpu_rent_by_gpu", "oldest"), ("marts.decide_on", "distance")],
)
def test_describe_knows_views_and_macros(refreshed: Path, name: str, column: str):
    assert column in iecon(refreshed, "describe", name).stdout


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("describe", "core.gpu_prise"), "did you mean core.gpu_price"),
        (("tables", "llm_prise"), "did you mean core.llm_price"),
        (("claims", "distserve_over_state_of_the_arts"), "did you mean distserve_over_state_of_the_art"),
        (("price", "gpt4o"), "did you mean gpt-4o"),
    ],
)
def test_a_name_that_is_not_known_is_bad_usage_and_those_that_come_near_are_named(refreshed: Path, arguments, meant: str):
    done = iecon(refreshed, *arguments)
    assert done.returncode == 2
    assert meant in done.stderr


def test_doctor_names_versions_folder_and_the_sources_that_want_a_look(refreshed: Path):
    done = iecon(refreshed, "doctor")
    assert done.returncode == 0, done.stderr
    for word in ("dagster", "duckdb", str(refreshed), "litellm", "openrouter", "azure_retail", "no refresh is running"):
        assert word in done.stdout
    assert "latency_figures" not in done.stdout  # what is fresh needs no look
    assert "latency_figures" in iecon(refreshed, "doctor", "--all").stdout


def test_bad_config_is_named_with_its_key(tmp_path: Path):
    (tmp_path / "config.yaml").write_text("keep_relases: 3\n")
    done = iecon(tmp_path, "doctor")
    assert done.returncode == 1
    assert "config.yaml: Object contains unknown field `keep_relases`" in done.stderr


def test_every_command_is_on_its_page():
    page = (ROOT / "docs" / "commands.md").read_text()
    names = [name_of(command) for command in app.registered_commands]
    assert [name for name in [*names, "runs"] if f"`iecon {name}" not in page] == []


def test_every_help_ends_with_an_example_whose_options_there_are(tmp_path: Path):
    group = typer.main.get_command(app)
    assert set(EXAMPLES) == {name_of(command) for command in app.registered_commands}
    for name, example in EXAMPLES.items():
        words = shlex.split(example)
        assert words[:2] == ["iecon", name]
        known = {option for parameter in group.commands[name].params for option in parameter.opts}
        assert {word for word in words[2:] if word.startswith("-")} <= known
    assert "Example: iecon tables price" in iecon(tmp_path, "tables", "-h").stdout

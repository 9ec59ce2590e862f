"""What is only recalled is in no mart: every file that states how sure its figures are, every contract, every reader."""

import csv
import re
from pathlib import Path

import duckdb
import polars as pl
import pytest

from assets.evidence.published import cited
from assets.routing.premium import believed, operating_points, summary, under_disclosure_error
from assets.serving.measured import published_rows
from pipelines.definitions import definitions
from schemas.base import Table, polars_schema, table_name
from schemas.evidence.published import CitedFigure
from schemas.registry import TABLES
from sources.document import TRANSCRIBED
from tests.evidence.test_published_figures import FIGURES
from tests.routing.test_marts import FIGURES as ROUTING_FIGURES
from warehouse.store import read_table
from warehouse.table import asset_key

GRAPH = definitions().resolve_asset_graph()
WAREHOUSE = Path(__file__).resolve().parents[2] / "warehouse"
USED = ("core.", "marts.")


def statuses(schema: type[Table]) -> dict[str, set[str]]:
    """Values that a contract allows in each of its columns on how sure a figure is."""
    columns = schema.to_schema().columns
    return {
        name: set(check.statistics["allowed_values"])
        for name, column in columns.items()
        if re.fullmatch(r"(.*_)?status", name)
        for check in column.checks
        if check.name == "isin"
    }


def admits(schema: type[Table]) -> bool:
    return any("recalled" in allowed for allowed in statuses(schema).values())


ADMITTING = {name for name, schema in TABLES.items() if admits(schema)}
COUNTS_WORKS_NOT_FOUND = {"routing_pattern_summary"}
"""Reads the raw figures for the works that nobody could find, and for nothing else: see the test of it."""


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as text:
        return list(csv.DictReader(text))


STATED = sorted(file.name for file in TRANSCRIBED.glob("*.csv") if "status" in file.read_text().splitlines()[0].split(","))


def test_files_and_tables_with_a_status_are_found():
    assert {
        "mlperf_v5_1.csv",
        "model_shape.csv",
        "latency.csv",
        "test_time_brown.csv",
        "routing_operating_points.csv",
    } <= set(STATED)
    assert {"published_figure", "routing_figure"} <= ADMITTING
    assert {"shape_status", "gpu_status"} <= set(statuses(TABLES["share_of_peak"]))


@pytest.mark.parametrize("name", STATED)
def test_recalled_rows_of_a_file_stay_in_a_raw_table(name: str, warehouse: duckdb.DuckDBPyConnection):
    recalled = {row["figure"] for row in rows(TRANSCRIBED / name) if row["status"] == "recalled"}
    document = {row.get("paper") for row in rows(TRANSCRIBED / name)}
    held, used = set(), set()
    for schema in TABLES.values():
        table = table_name(schema)
        columns = polars_schema(schema)
        if "figure" in columns and table.startswith(("raw.", *USED)):
            where = "WHERE paper IN (SELECT unnest(?))" if "paper" in columns else "WHERE ? IS NOT NULL"
            found = {
                figure for (figure,) in warehouse.execute(f"SELECT figure FROM {table} {where}", [list(document)]).fetchall()
            }
            (used if table.startswith(USED) else held).update(found & recalled)
    assert held == recalled
    assert used == set()


@pytest.mark.parametrize("name", sorted(name for name, schema in TABLES.items() if table_name(schema).startswith(USED)))
def test_no_table_in_use_allows_the_status_or_reads_one_that_does(name: str):
    """But for the copy of a raw table under a contract that refuses it."""
    schema = TABLES[name]
    assert not admits(schema)
    parents = {key.path[-1] for key in GRAPH.get(asset_key(schema)).parent_keys} & ADMITTING
    if name not in COUNTS_WORKS_NOT_FOUND:
        assert all(polars_schema(TABLES[parent]) == polars_schema(schema) for parent in parents)


def test_works_not_found_are_counted_without_recalled_figures():
    points = operating_points(believed(ROUTING_FIGURES))
    told = ROUTING_FIGURES.filter(pl.col("status") != "recalled")
    assert told.height < ROUTING_FIGURES.height
    counted, without = (summary(points, under_disclosure_error(points), figures) for figures in (ROUTING_FIGURES, told))
    assert counted.equals(without)


@pytest.mark.parametrize(
    "file", sorted((*WAREHOUSE.glob("views/*.sql"), *WAREHOUSE.glob("claims/*.sql"))), ids=lambda file: file.stem
)
def test_no_view_or_claim_reads_a_raw_table_that_allows_it(file: Path):
    raw = {table_name(TABLES[name]) for name in ADMITTING if table_name(TABLES[name]).startswith("raw.")}
    assert not {table for table in raw if re.search(rf"\b{re.escape(table)}\b", file.read_text())}


def test_cited_figures_are_all_but_the_recalled_ones():
    CitedFigure.validate(cited(FIGURES), lazy=True)
    assert cited(FIGURES).height == FIGURES.filter(pl.col("status") != "recalled").height < FIGURES.height


def test_a_point_without_a_cited_prompt_length_is_not_predicted(refreshed: Path):
    gpu, model_shape = (read_table(refreshed / "tables", TABLES[name]) for name in ("gpu", "model_shape"))
    one = (pl.col("metric") == "mean_input_tokens") & (pl.col("model") == "llama-3.1-405b")
    doubted = FIGURES.with_columns(status=pl.when(one).then(pl.lit("recalled")).otherwise("status"))
    told, left = (
        {row["workload"] for row in published_rows(cited(figures), gpu=gpu, model_shape=model_shape)}
        for figures in (FIGURES, doubted)
    )
    assert told - left == {"llama3.1-405b Server", "llama3.1-405b Interactive"}

"""The report as its readers meet it: whole, honest about what is missing, and quiet in a real browser."""

import re
import shutil
from base64 import b64encode
from contextlib import suppress
from hashlib import sha256
from html import unescape
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

import assets
from assets.report import CACHE, DRAWN_CHECK, documents_of, evidence, section
from figures import FOLDER, PAGE
from figures.chart import checked
from figures.contents import SUBJECTS
from figures.exhibit import Exhibit, NothingToShowError, Subject, drawn, shown_first
from pipelines.definitions import definitions
from pipelines.refresh import QUIET
from pipelines.resources import resources
from schemas.base import Table, empty
from schemas.evidence.provenance import SnapshotLog
from schemas.registry import TABLES
from sources.publishers import CATALOGUE
from tests.refreshed import iecon
from warehouse.resources import DataFolder
from warehouse.store import read_table, table_path, write_frame
from warehouse.table import asset_key

each_subject = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)


def rows_of(folder: Path, schema: type[Table]) -> pl.DataFrame:
    frame = read_table(folder / "tables", schema)
    assert frame is not None
    return frame


def tables_of(subject: Subject, folder: Path) -> dict[str, pl.DataFrame]:
    return {name: rows_of(folder, TABLES[name]) for name in subject.tables}


def build(folder: Path) -> dg.ExecuteInProcessResult:
    """The report's own step over a data folder."""
    return dg.materialize(
        dg.load_assets_from_package_module(assets),
        selection=["report/page"],
        resources=resources(folder, offline=True),
        run_config=QUIET,
    )


@pytest.fixture(scope="module")
def html(refreshed: Path) -> str:
    return (refreshed / FOLDER / PAGE).read_text()


@each_subject
def test_figure_has_its_words_date_sources_uncertainty_and_numbers(subject: Subject, refreshed: Path, html: str):
    (text,) = re.findall(rf'<section id="{subject.name}".*?</section>', html, re.DOTALL)
    assert subject.title in text
    for label in ("Date", "Uncertainty", "Sources"):
        (told,) = re.findall(rf"<dt>{label}</dt><dd>(.*?)</dd>", text, re.DOTALL)
        assert len(told) > 15, label
    assert re.search(r"\d{4}", text)
    (alt,) = set(re.findall(r'<img [^>]*alt="(.*?)"', text, re.DOTALL))
    assert len(alt) > 40
    assert "<noscript><img" in text


@pytest.fixture(scope="module")
def exhibits(refreshed: Path) -> dict[str, Exhibit]:
    return {
        subject.name: drawn(subject, {name: frame.lazy() for name, frame in tables_of(subject, refreshed).items()})
        for subject in SUBJECTS
    }


@each_subject
def test_every_mark_tells_name_value_source_and_date(subject: Subject, exhibits: dict[str, Exhibit]):
    exhibit = exhibits[subject.name]
    checked(exhibit.chart, exhibit.rows)
    assert set(exhibit.told.columns()) <= set(exhibit.rows.columns)
    assert {control.column for control in exhibit.controls} <= set(exhibit.rows.columns)
    unmarked = {"ledger": pl.col("claim").is_null(), "partition_map": pl.col("winner") == "none"}
    marked = exhibit.rows.remove(unmarked.get(subject.name, pl.lit(False)))
    never_unknown = marked.select(*exhibit.told.name, exhibit.told.value, exhibit.told.on)
    assert never_unknown.null_count().sum_horizontal().item() == 0
    known = marked[exhibit.told.source].is_not_null().mean()
    assert known is not None
    assert known > 0.95
    assert 0 < shown_first(exhibit).height <= exhibit.rows.height


@each_subject
def test_sql_of_a_figure_runs_and_has_the_columns_that_controls_pick_by(
    subject: Subject, exhibits: dict[str, Exhibit], warehouse: duckdb.DuckDBPyConnection
):
    exhibit = exhibits[subject.name]
    columns = warehouse.sql(exhibit.sql).columns
    assert {control.column for control in exhibit.controls} <= set(columns)
    assert warehouse.sql(f"SELECT count(*) FROM ({exhibit.sql})").fetchall()[0][0] > 0
    for control in exhibit.controls:
        values = set(exhibit.rows[control.column].drop_nulls().cast(pl.String).unique())
        there = {
            value for (value,) in warehouse.sql(f"SELECT DISTINCT {control.column}::VARCHAR FROM ({exhibit.sql})").fetchall()
        }
        missing = values - there - {f"{value}.0" for value in there}
        assert len(missing) <= 0.1 * len(values), (control.column, sorted(missing)[:5])


def test_serving_frontier_names_every_point_of_a_frame_once(exhibits: dict[str, Exhibit], refreshed: Path):
    points = exhibits["serving_frontier"].rows
    assert points.height == rows_of(refreshed, TABLES["serving_frontier"]).height
    assert points.select("frame", "point").is_unique().all()
    assert shown_first(exhibits["serving_frontier"])["frame"].n_unique() == 1


def test_units_of_what_routing_saves_are_never_mixed(exhibits: dict[str, Exhibit]):
    assert shown_first(exhibits["routing_premium"])["saved_unit"].n_unique() == 1


def test_a_claim_stands_in_the_ledger_beside_what_it_allows(exhibits: dict[str, Exhibit], refreshed: Path):
    exhibit = exhibits["ledger"]
    assert exhibit.rows.height == rows_of(refreshed, TABLES["claims"]).height
    placed = exhibit.rows.filter(pl.col("claim").is_not_null())
    assert placed.filter(pl.col("allowed_low").is_not_null() | pl.col("allowed_high").is_not_null()).height == placed.height


def test_page_is_small_and_asks_nothing_of_the_network(html: str):
    assert len(html) < 5_000_000
    outside = re.findall(r"""<[^>]*\s(?:src|href)=["'](?!data:|#|figures/)""", html.partition('<script id="rows"')[0])
    assert not outside


def test_nothing_runs_that_the_page_does_not_name_by_its_hash(html: str):
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    policy = unescape(policy)
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == 2
    for text in (*scripts, *re.findall(r"<style>(.*?)</style>", html, re.DOTALL)):
        assert f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in policy
    assert "unsafe" not in policy
    assert {"default-src 'none'", "connect-src 'none'", "base-uri 'none'"} <= set(policy.split("; "))
    assert " style=" not in html.partition("<script")[0]


def test_pictures_lie_beside_the_page(refreshed: Path, html: str):
    shown = re.findall(r'data-figure="(\w+)"', html)
    assert shown == [subject.name for subject in SUBJECTS]
    pictures = {path.name for path in (refreshed / FOLDER / "figures").iterdir()}
    assert pictures == {f"{name}.{kind}" for name in shown for kind in ("svg", "png")}


@each_subject
def test_few_rows_or_none_leave_a_figure_or_a_reason_never_a_crash(subject: Subject, refreshed: Path):
    whole = tables_of(subject, refreshed)
    with pytest.raises(NothingToShowError, match=r"no .*\."):
        drawn(subject, {name: frame.clear().lazy() for name, frame in whole.items()})
    for seed in range(4):
        with suppress(NothingToShowError):
            few = {name: frame.sample(min(frame.height, 1 + 3 * seed), seed=seed) for name, frame in whole.items()}
            drawn(subject, {name: frame.lazy() for name, frame in few.items()})


@each_subject
def test_unknown_figures_are_no_crash(subject: Subject, refreshed: Path):
    """Every nullable column NULL at once."""
    blank = {
        name: frame.with_columns(
            pl.lit(None, dtype=frame.schema[column]).alias(column)
            for column, spec in TABLES[name].to_schema().columns.items()
            if spec.nullable
        )
        for name, frame in tables_of(subject, refreshed).items()
    }
    with suppress(NothingToShowError):
        drawn(subject, {name: frame.lazy() for name, frame in blank.items()})


def test_same_numbers_make_the_same_picture(refreshed: Path):
    subject = next(subject for subject in SUBJECTS if subject.name == "price_frontier")
    data, documents = DataFolder(root=str(refreshed)), rows_of(refreshed, SnapshotLog)
    first, second = (section(subject, data, documents) for _ in range(2))
    assert first.svg == second.svg
    assert first.png == second.png


@each_subject
def test_named_sources_are_ancestors_of_the_tables(subject: Subject, exhibits: dict[str, Exhibit]):
    graph = definitions().resolve_asset_graph()
    ancestors = {
        key.path[1]
        for name in subject.tables
        for key in graph.get_ancestor_asset_keys(asset_key(TABLES[name]))
        if key.path[0] == "source"
    }
    documents = {source.name for name in ancestors for source in CATALOGUE.get(name, ())}
    titles = {source.name: source.title for sources in CATALOGUE.values() for source in sources}
    named = {document for name in exhibits[subject.name].rests_on for document in documents_of(name, titles)}
    assert named
    assert named <= documents


@each_subject
def test_named_method_note_exists(subject: Subject):
    assert (Path(__file__).resolve().parents[2] / "docs" / subject.note).exists()


def test_evidence_names_documents_with_their_day_newest_first(refreshed: Path):
    documents = rows_of(refreshed, SnapshotLog)
    told = evidence(["epoch", "litellm"], documents)
    assert "Snell" in evidence(["snell"], documents)
    assert told.startswith("LiteLLM model prices and context windows (12 Nov 2026); Epoch")
    assert told.endswith("(8 Feb 2026).")
    assert evidence(["epoch"], empty(SnapshotLog)) == "."


def test_report_of_an_empty_folder_says_what_to_do(refreshed: Path, tmp_path: Path):
    shutil.copytree(refreshed / CACHE, tmp_path / CACHE)
    result = build(tmp_path)
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (DRAWN_CHECK, False)
    page = (tmp_path / FOLDER / PAGE).read_text()
    assert page.count("not built yet. `iecon refresh` builds it.") == len(SUBJECTS)


def test_failed_mart_leaves_a_note_and_the_other_figures(refreshed: Path, tmp_path: Path, html: str):
    for name in ("tables", CACHE):
        shutil.copytree(refreshed / name, tmp_path / name)
    table_path(tmp_path / "tables", TABLES["routing_premium"]).unlink()
    frontier = table_path(tmp_path / "tables", TABLES["price_frontier"])
    write_frame(frontier, pl.read_parquet(frontier).clear())
    assert build(tmp_path).success
    page = (tmp_path / FOLDER / PAGE).read_text()
    assert "marts.routing_premium not built yet" in page
    assert "There is no priced model with a score" in page
    assert page.count("data:image/svg+xml") == html.count("data:image/svg+xml") - 3
    assert not (tmp_path / FOLDER / "figures" / "price_frontier.png").exists()


def test_command_prints_the_path_and_says_when_there_is_none(refreshed: Path, tmp_path: Path):
    done = iecon(refreshed, "report")
    assert Path(done.stdout.strip()) == refreshed / FOLDER / PAGE
    missing = iecon(tmp_path, "report")
    assert missing.returncode == 1
    assert "run `iecon refresh` first" in missing.stderr


def test_picture_is_shown_on_the_page_of_its_mart(refreshed: Path):
    from pipelines.resources import instance

    with instance(refreshed) as dagster:
        for subject in SUBJECTS:
            if not (refreshed / FOLDER / "figures" / f"{subject.name}.png").exists():
                continue
            records = dagster.fetch_observations(asset_key(TABLES[subject.tables[0]]), limit=4).records
            pictures = [record.asset_observation.metadata["figure"] for record in records if record.asset_observation]
            assert any(f"![{subject.title}" in str(picture.value) for picture in pictures)
            assert all("](data:image/png;base64," in str(picture.value) for picture in pictures)

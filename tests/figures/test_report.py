"""The report as its readers meet it: whole, honest about what is missing, and quiet in a real browser."""

import re
import shutil
from contextlib import suppress
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

import assets
from assets.report import DRAWN_CHECK, evidence, section
from figures import FOLDER, PAGE
from figures.contents import SUBJECTS
from figures.exhibit import NothingToShowError, Subject, drawn
from figures.page import cell
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
    assert text.count("<tr>") > 1
    for alt in re.findall(r'<img [^>]*alt="(.*?)"', text, re.DOTALL):
        assert len(alt) > 40


def test_page_is_small_and_asks_nothing_of_the_network(html: str):
    assert len(html) < 5_000_000
    assert "<script" not in html
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", html)


def test_pictures_lie_beside_the_page(refreshed: Path, html: str):
    shown = [name for name, text in re.findall(r'<section id="(\w+)"(.*?)</section>', html, re.DOTALL) if "<img" in text]
    assert len(shown) >= 6
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
def test_named_sources_are_ancestors_of_the_tables(subject: Subject):
    graph = definitions().resolve_asset_graph()
    ancestors = {
        key.path[1]
        for name in subject.tables
        for key in graph.get_ancestor_asset_keys(asset_key(TABLES[name]))
        if key.path[0] == "source"
    }
    documents = {source.name for name in ancestors for source in CATALOGUE.get(name, ())}
    assert set(subject.sources) <= ancestors | documents


@each_subject
def test_named_method_note_exists(subject: Subject):
    assert (Path(__file__).resolve().parents[2] / "docs" / subject.note).exists()


def test_evidence_names_documents_with_their_day_newest_first(refreshed: Path):
    documents = rows_of(refreshed, SnapshotLog)
    told = evidence(["epoch", "litellm"], documents)
    assert told.startswith("LiteLLM model prices and context windows (12 Nov 2026); Epoch")
    assert told.endswith("(8 Feb 2026).")
    assert evidence(["epoch"], empty(SnapshotLog)) == "."


def test_report_of_an_empty_folder_says_what_to_do(tmp_path: Path):
    result = build(tmp_path)
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (DRAWN_CHECK, False)
    page = (tmp_path / FOLDER / PAGE).read_text()
    assert page.count("not built yet. `iecon refresh` builds it.") == len(SUBJECTS)


def test_failed_mart_leaves_a_note_and_the_other_figures(refreshed: Path, tmp_path: Path, html: str):
    shutil.copytree(refreshed / "tables", tmp_path / "tables")
    table_path(tmp_path / "tables", TABLES["routing_premium"]).unlink()
    frontier = table_path(tmp_path / "tables", TABLES["price_frontier"])
    write_frame(frontier, pl.read_parquet(frontier).clear())
    assert build(tmp_path).success
    page = (tmp_path / FOLDER / PAGE).read_text()
    assert "marts.routing_premium not built yet" in page
    assert "There is no priced model with a score" in page
    assert page.count("data:image/svg+xml") == html.count("data:image/svg+xml") - 2
    assert not (tmp_path / FOLDER / "figures" / "price_frontier.png").exists()


def test_command_prints_the_path_and_says_when_there_is_none(refreshed: Path, tmp_path: Path):
    done = iecon(refreshed, "report")
    assert Path(done.stdout.strip()) == refreshed / FOLDER / PAGE
    missing = iecon(tmp_path, "report")
    assert missing.returncode == 1
    assert "run `iecon refresh` first" in missing.stderr


def test_cells_read_as_numbers_words_and_dashes():
    assert [cell(value) for value in (None, True, 0.123456, 1234.5, 2.5e9, "a", 3)] == [
        "\N{EN DASH}",
        "yes",
        "0.1235",
        "1,234",
        "2.500e+09",
        "a",
        "3",
    ]


@pytest.mark.parametrize("width", [1200, 390], ids=["desk", "phone"])
def test_opens_in_a_browser_without_network_or_a_word_on_the_console(browser, refreshed: Path, width: int):
    page = browser.new_context(offline=True, viewport={"width": width, "height": 900}).new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    address = (refreshed / FOLDER / PAGE).as_uri()
    page.goto(address)
    assert page.title().startswith("inference-economics")
    shown = page.evaluate("Promise.all([...document.images].map(i => i.decode().then(() => i.clientWidth)))")
    assert shown
    assert min(shown) > 300
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [address]


def test_tables_open_on_a_click(browser, refreshed: Path):
    page = browser.new_page()
    page.goto((refreshed / FOLDER / PAGE).as_uri())
    closed = page.locator("details").first
    assert not closed.locator("table").is_visible()
    closed.locator("summary").click()
    assert closed.locator("td").first.is_visible()


def test_picture_is_shown_on_the_page_of_its_mart(refreshed: Path):
    from pipelines.resources import instance

    with instance(refreshed) as dagster:
        for subject in SUBJECTS:
            if not (refreshed / FOLDER / "figures" / f"{subject.name}.png").exists():
                continue
            (record,) = dagster.fetch_observations(asset_key(TABLES[subject.tables[0]]), limit=1).records
            assert record.asset_observation is not None
            picture = record.asset_observation.metadata["figure"]
            assert isinstance(picture, dg.MarkdownMetadataValue)
            assert "](data:image/png;base64," in str(picture.md_str)

"""What a transcribed document is stands in its `.source.yaml` alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sources.document import SEEDS, TRANSCRIBED, citation, document, documents_of
from sources.publishers import CATALOGUE
from sources.source import Seed

SAID = """producer: Example et al.
title: A worked example
url: https://arxiv.org/abs/0000.00000
version: 1 figure
as_of: 2026-01-02
licence: facts, each with its citation
transcribed: Table 1.
"""


def test_a_source_is_built_from_the_citation(tmp_path: Path) -> None:
    (tmp_path / "example.source.yaml").write_text(SAID)
    source = document(tmp_path / "example.csv")
    assert (source.name, source.title, source.homepage) == ("example", "A worked example", "https://arxiv.org/abs/0000.00000")
    assert source.floor == (Seed(tmp_path / "example.csv", as_of=datetime(2026, 1, 2, tzinfo=UTC)),)


@pytest.mark.parametrize(
    ("line", "wrong", "said"),
    [
        ("title: A worked example", "", "example.source.yaml: title is missing"),
        ("as_of: 2026-01-02", "as_of: soon", "example.source.yaml: as_of is no date such as 2026-11-23: soon"),
    ],
)
def test_a_citation_that_lacks_something_is_named(tmp_path: Path, line: str, wrong: str, said: str) -> None:
    (tmp_path / "example.source.yaml").write_text(SAID.replace(line, wrong))
    with pytest.raises(ValueError, match=said):
        document(tmp_path / "example.csv")


def test_every_transcribed_file_is_read_by_a_source() -> None:
    read = {
        rung.path for sources in CATALOGUE.values() for source in sources for rung in source.floor if isinstance(rung, Seed)
    }
    cited = {file.with_name(file.name.removesuffix(".source.yaml") + ".csv") for file in TRANSCRIBED.glob("*.source.yaml")}
    assert cited <= read


def test_a_file_is_found_by_the_table_its_citation_names() -> None:
    names = [source.name for source in documents_of("raw.test_time_figure")]
    assert "test_time_snell" in names
    assert "test_time_pythia_surface" not in names


def test_dates_are_those_of_the_citations() -> None:
    assert citation(TRANSCRIBED / "test_time_rose.csv")["as_of"] == datetime(2026, 11, 25, tzinfo=UTC)
    assert citation(SEEDS / "gpu_rent.csv")["as_of"] == datetime(2026, 11, 1, tzinfo=UTC)

"""From a number to its document: `iecon source`."""

import json
from pathlib import Path

import pytest

from answers.names import UnknownNameError
from answers.provenance import Step, chain
from sources.document import TRANSCRIBED
from sources.source import content_hash
from tests.refreshed import iecon


@pytest.fixture
def release(refreshed: Path) -> Path:
    return refreshed / "releases" / "latest.duckdb"


def leaves(step: Step) -> list[Step]:
    return [leaf for each in step.behind for leaf in leaves(each)] or [step]


def test_a_published_figure_leads_to_its_file_and_place(release: Path) -> None:
    (step,) = chain(release, "marts.published_common_frame.value", "paper=splitwise,figure=e2e_coding_a100")
    (leaf,) = leaves(step)
    assert (step.value, leaf.table, leaf.value, leaf.locator) == (0.856, "raw.published_figure", 0.856, "Table IV")
    assert leaf.document is not None
    assert leaf.document.sha256 == content_hash((TRANSCRIBED / "splitwise.csv").read_bytes())


def test_a_price_leads_to_the_routes_of_its_own_model(release: Path) -> None:
    (step, *_) = chain(
        release, "core.llm_price_current.usd_per_mtok", "model=gpt-4o,provider=openai,leg=input,variant=standard"
    )
    found = leaves(step)
    assert {leaf.value for leaf in found} == {step.value}
    assert all("gpt-4o" in leaf.key["source_model"] for leaf in found)
    assert all(leaf.document for leaf in found)


def test_the_command_prints_the_same_as_text_and_json(refreshed: Path) -> None:
    said = iecon(refreshed, "source", "core.cited_figure.value", "paper=splitwise,figure=e2e_coding_a100")
    assert "raw.published_figure" in said.stdout
    assert "Table IV" in said.stdout
    as_json = iecon(refreshed, "source", "core.cited_figure", "paper=splitwise,figure=e2e_coding_a100", "--json")
    assert json.loads(as_json.stdout)[0]["behind"][0]["document"]["source"] == "published_splitwise"


@pytest.mark.parametrize(
    ("place", "key", "said"),
    [
        ("marts.price_frontir", "gpt-4o", "did you mean marts.price_frontier"),
        ("marts.price_frontier.scoer", "gpt-4o", "did you mean score"),
        ("marts.price_frontier", "modle=gpt-4o", "did you mean model"),
        ("marts.price_frontier", "gpt-0", "its key is model, scale"),
    ],
)
def test_what_is_not_there_is_named_with_what_comes_near(release: Path, place: str, key: str, said: str) -> None:
    with pytest.raises(UnknownNameError, match=said):
        chain(release, place, key)

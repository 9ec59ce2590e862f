"""Formulas have numbers: each number cited in code stands on the page, and each formula on the page is cited by code."""

import re
import subprocess

from tests.refreshed import ROOT

PAGE = (ROOT / "docs" / "formulas.md").read_text()
NUMBERS = re.findall(r"^\*\*([A-Z]\d+)\. ", PAGE, re.MULTILINE)
FLOORS = ("economics", "assets", "answers", "iecon")


def cited() -> dict[str, list[str]]:
    """Numbers cited in code, with the files that cite them."""
    found: dict[str, list[str]] = {}
    for floor in FLOORS:
        for file in (ROOT / floor).rglob("*.py"):
            for number in re.findall(r"\bformula ([A-Z]\d+)", file.read_text()):
                found.setdefault(number, []).append(file.relative_to(ROOT).as_posix())
    return found


def test_each_number_stands_once_and_in_order() -> None:
    assert len(NUMBERS) == len(set(NUMBERS))
    for room in {number[0] for number in NUMBERS}:
        own = [int(number[1:]) for number in NUMBERS if number[0] == room]
        assert own == list(range(1, len(own) + 1))


def test_each_cited_number_stands_on_the_page() -> None:
    assert {number: files for number, files in cited().items() if number not in NUMBERS} == {}


def test_each_formula_is_cited_by_code() -> None:
    assert [number for number in NUMBERS if number not in cited()] == []


def test_no_code_cites_a_document_that_no_user_has() -> None:
    searched = ["git", "grep", "-l", "economics design", "--", "*.py"]
    found = subprocess.run(searched, cwd=ROOT, capture_output=True, text=True, check=False)
    assert [file for file in found.stdout.split() if file != "tests/docs/test_formulas.py"] == []

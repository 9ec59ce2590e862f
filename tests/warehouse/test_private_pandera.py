"""Private parts of other people's packages stand in one module per package, which says what to do when they change."""

import re

import pandera.polars as pa
import polars as pl

from schemas.private_pandera import rule_answers
from tests.refreshed import ROOT

FLOORS = ("iecon", "pipelines", "answers", "assets", "sources", "figures", "economics", "schemas", "warehouse")
PRIVATE = {
    r"dagster\._": {"pipelines/private_dagster.py"},
    r"pandera\.(api|backends)": {"schemas/private_pandera.py"},
    r"pip\._internal": {"sources/transports/package_registry.py"},
}


def test_private_parts_are_imported_in_one_module_each() -> None:
    for pattern, modules in PRIVATE.items():
        importing = re.compile(rf"^\s*(from|import) {pattern}", re.MULTILINE)
        files = [file for floor in FLOORS for file in (ROOT / floor).rglob("*.py") if importing.search(file.read_text())]
        assert {file.relative_to(ROOT).as_posix() for file in files} == modules


def test_a_rule_answers_row_by_row_before_anything_is_computed() -> None:
    answers = rule_answers(pa.Check.gt(1), pl.LazyFrame({"usd": [0.5, 2.0]}), "usd")
    assert isinstance(answers, pl.LazyFrame), "see the docstring of schemas/private_pandera.py"
    assert answers.collect().to_series().to_list() == [False, True]

"""All that this project uses of pandera's private parts. Held to pandera 0.35 by pyproject.toml.

When `tests/warehouse/test_private_pandera.py` fails with a newer one: contracts are right without this module. Leave
`register_rules` empty, and let `warehouse.contract.holds` return False, so that pandera judges every frame by itself.
"""

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.backends.polars.checks import PolarsCheckBackend
from pandera.backends.polars.register import register_polars_backends


def register_rules() -> None:
    """Make pandera's rules for polars known before any contract is built, since each copies those that are known by then."""
    register_polars_backends()


def rule_answers(rule: pa.Check, rows: pl.LazyFrame, column: str) -> pl.LazyFrame | bool:
    """What a rule says of each row of a column (`*`: of the frame), not yet computed; a plain bool where it says it at once."""
    answers: pl.LazyFrame | bool = PolarsCheckBackend(rule).apply(PolarsData(rows, column))
    return answers

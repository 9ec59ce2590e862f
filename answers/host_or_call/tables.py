"""The fit of step times and its measured tails, out of a published warehouse."""

from dataclasses import dataclass, field

import duckdb
import polars as pl

from assets.serving.engine_answers import Fit, fit_of
from assets.serving.engine_contract import tails_of

_FIT = (
    ("core", "model_shape"),
    ("core", "model_layer"),
    ("core", "gpu"),
    ("marts", "engine_run"),
    ("marts", "prediction_interval"),
)
_HELD = """
    SELECT runs, median_error, held FROM marts.engine_validation
    WHERE left_out = 'group' AND gpu IS NULL AND engine IS NULL AND kind = 'closed' AND NOT drafts
        AND quantity = 'output_tokens_per_s_per_gpu'
"""


@dataclass(frozen=True, eq=False)
class Tables:
    """What capacities are computed from."""

    fit: Fit
    tails: pl.DataFrame
    stored_as: dict[str, str | None]
    said: str
    """How right the step times were out of sample, in words."""
    measured: dict[str, float] = field(default_factory=dict)
    """What one's own runs reached over what is predicted, by accelerator."""


def tables_of(connection: duckdb.DuckDBPyConnection) -> Tables:
    """Read them."""
    tables = {
        name: connection.sql(f"FROM {layer}.{name}").pl().with_columns(pl.selectors.categorical().cast(pl.String))
        for layer, name in _FIT
    }
    points = connection.sql("SELECT run_id, tpot_p50_s, tpot_p99_s FROM core.operating_point").pl()
    held = connection.execute(_HELD).fetchall()
    said = ""
    if held:
        runs, error, within = held[0]
        said = f"Out of sample, {runs:,} runs: median error of the rate {error:.0%}, intervals held {within:.0%}"
    return Tables(
        fit=fit_of(**tables),
        tails=tails_of(tables["engine_run"], points),
        stored_as=dict(tables["model_shape"].select("model", "stored_as").iter_rows()),
        said=said,
    )

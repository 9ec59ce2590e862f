"""Aider's polyglot leaderboard: coding exercises in six languages, with a second try after the first one's test output.

The document is a YAML list of runs. `pass_num_1` and `pass_num_2` count exercises solved in one and in two tries, out of
`total_tests`; the printed rates divide by that too, also where `test_cases` is lower because a case did not run. The cost
is that of the whole run; 0 stands for unknown. Tokens are written since May 2025 only.

Source: https://github.com/Aider-AI/aider (Apache-2.0).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from schemas.base import empty, polars_schema
from schemas.quarantine import Parsed, Rejected, reject
from schemas.test_time.cost_per_correct import AiderRun
from schemas.yaml_document import read_yaml
from sources.document import SEEDS, seed
from sources.prices.price_keys import unexpected
from sources.source import Http, Snapshot, Source, refuses_in_words

SOURCE = Source(
    name="aider_polyglot",
    title="Aider polyglot leaderboard",
    homepage="https://aider.chat/docs/leaderboards/",
    licence="Apache-2.0",
    live=(Http("https://raw.githubusercontent.com/Aider-AI/aider/main/aider/website/_data/polyglot_leaderboard.yml"),),
    floor=(seed(SEEDS / "aider_polyglot.yml"),),
)

_EXPECTED = "a list of runs, each with dirname, model, date and passes"
_NEEDED = ("dirname", "model", "date", "total_tests", "pass_num_1", "pass_num_2")
_TEXT = ("dirname", "model", "edit_format", "reasoning_effort", "editor_model", "commit_hash", "versions")
_COUNTS = (
    "total_tests",
    "test_cases",
    "pass_num_1",
    "pass_num_2",
    "thinking_tokens",
    "prompt_tokens",
    "completion_tokens",
)


@refuses_in_words
def parse_runs(snapshot: Snapshot) -> Parsed:
    """Read the leaderboard (contract `AiderRun`); runs without passes or a date are refused.

    ValueError where the document is no list of runs.
    """
    try:
        document = read_yaml(snapshot.body)
    except ValueError as error:
        raise unexpected(snapshot, _EXPECTED, str(error)) from None
    if not isinstance(document, list) or not document or not all(isinstance(run, dict) for run in document):
        raise unexpected(snapshot, _EXPECTED, "not a list of objects")
    whole = [run for run in document if all(run.get(key) is not None for key in _NEEDED)]
    if not whole:
        raise unexpected(snapshot, _EXPECTED, "no run has all of them")
    names = [str(run.get("dirname") or run.get("model")) for run in document if run not in whole]
    refused = reject(
        pl.DataFrame({"name": names}, schema={"name": pl.String}),
        source=snapshot.source,
        row_key=pl.col("name"),
        rule="incomplete_run",
        reason="has no name, date or number of passes",
        severity="invalid",
    )
    rows = pl.DataFrame([_row(run, snapshot.source) for run in whole], schema=polars_schema(AiderRun))
    return Parsed(rows, refused if names else empty(Rejected))


def _row(run: Mapping[str, Any], source: str) -> dict[str, Any]:
    cost, seconds = run.get("total_cost"), run.get("seconds_per_case")
    day = run["date"]
    return (
        {key: None if run.get(key) is None else str(run[key]) for key in _TEXT}
        | {key: None if run.get(key) is None else int(run[key]) for key in _COUNTS}
        | {
            "run_on": day if not isinstance(day, str) else datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).date(),
            "total_cost_usd": float(cost) if cost else None,
            "seconds_per_case": float(seconds) if seconds else None,
            "source": source,
        }
    )

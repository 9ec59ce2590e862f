"""ARC Prize's leaderboard: accuracy and cost per task of systems on ARC-AGI, one document per version of the benchmark.

Traps. `score` is a share, and on versions 1 and 2 that of tasks solved within two attempts; on version 3 it measures how
efficiently games are played, so no cost per correct answer follows from it. The cost is per task (`costPerTask`) on versions 1
and 2, of the whole run (`cost`) on version 3, and 0 stands for unknown. Rows with `display` false are not shown on the board.
The day of an evaluation is not told: only that of the model's release, and for contest entries a day that can lie before their
contest. The human panel is a row like any other.

Source: https://arcprize.org/leaderboard, the documents its page loads.
"""

from datetime import date
from typing import Any

import msgspec
import polars as pl

from schemas.base import empty, polars_schema
from schemas.quarantine import Parsed, Rejected, reject
from schemas.test_time.cost_per_correct import ArcEvaluation
from sources.document import SEEDS, seed
from sources.prices.price_keys import decode, number, unexpected
from sources.source import Http, Snapshot, Source, refuses_in_words

TASKS = {"v1": 100, "v2": 120}
"""Tasks of the semi-private sets: as announced with o3-preview, and in the ARC-AGI-2 report (arXiv 2505.11831)."""

SOURCES = tuple(
    Source(
        name=f"arc_prize_{board}",
        title=f"ARC Prize leaderboard, ARC-AGI-{board[1:]}",
        homepage="https://arcprize.org/leaderboard",
        licence="none stated; figures are facts",
        live=(Http(f"https://arcprize.org/media/data/leaderboard/{board}.json"),),
        floor=(seed(SEEDS / f"arc_prize_{board}.json", cited="arc_prize"),),
    )
    for board in ("v1", "v2", "v3")
)

_EXPECTED = "a board with version, generatedAt and evaluations"
_CONTEST = "ARC Prize "
_FOOTNOTES = "\u00b9\u00b2\u00b3\u2074\u2075"


class _Board(msgspec.Struct):
    """A board; of its rows only that each is an object is taken for granted."""

    version: str
    generatedAt: str  # noqa: N815  (the document's own name)
    evaluations: list[dict[str, Any]]


@refuses_in_words
def parse_board(snapshot: Snapshot) -> Parsed:
    """Read one board (contract `ArcEvaluation`); rows without a name or with a score that is no share are refused.

    Raises ValueError where the document is no board.
    """
    board = decode(snapshot, _Board, _EXPECTED)
    generated = _day(board.generatedAt)
    if generated is None or not board.evaluations:
        raise unexpected(snapshot, _EXPECTED, "no rows, or no day on which it was generated")
    rows = [_row(each, board.version, generated, snapshot.source) for each in board.evaluations]
    found = pl.DataFrame(rows, schema=polars_schema(ArcEvaluation))
    unnamed = pl.any_horizontal(pl.col("dataset", "model_id", "model_name").is_null())
    no_share = ~pl.col("score").is_between(0.0, 1.0).fill_null(False)
    repeated = ~pl.struct("dataset", "model_id").is_first_distinct()
    faults = (
        (unnamed, "incomplete_row", "names no data set or no model", "invalid"),
        (~unnamed & no_share, "score_not_a_share", "the score is no number from 0 to 1", "invalid"),
        (
            ~unnamed & ~no_share & repeated,
            "repeated_model",
            "a second row of the same model; the first is kept",
            "suspect",
        ),
    )
    refused = [
        reject(
            found.filter(broken),
            source=snapshot.source,
            row_key=pl.format("{}/{}", pl.col("dataset").fill_null("?"), pl.col("model_id").fill_null("?")),
            rule=rule,
            reason=reason,
            severity=severity,
        )
        for broken, rule, reason, severity in faults
    ]
    return Parsed(found.filter(~(unnamed | no_share | repeated)), pl.concat([empty(Rejected), *refused]))


def _row(row: dict[str, Any], version: str, generated: date, source: str) -> dict[str, Any]:
    released, provider = _day(row.get("modelReleaseDate")), _text(row.get("providerId"))
    contest = (provider or "").removeprefix(_CONTEST)
    if released and contest.isdigit() and released.year != int(contest):
        released = None
    name = _text(row.get("modelDisplayName"))
    return {
        "board": version,
        "dataset": _text(row.get("datasetId")),
        "model_id": _text(row.get("modelId")),
        "model_name": name and name.rstrip(_FOOTNOTES + " "),
        "model_type": _text(row.get("modelType")),
        "provider": provider,
        "model_released_on": released,
        "score": number(row.get("score")),
        "usd_per_task": number(row.get("costPerTask")) or None,
        "total_cost_usd": number(row.get("cost")) or None,
        "is_shown": row.get("display") is not False,
        "generated_on": generated,
        "source": source,
    }


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _day(value: object) -> date | None:
    """The day of an ISO timestamp; None for anything else."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None

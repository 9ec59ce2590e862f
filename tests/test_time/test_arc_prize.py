"""ARC Prize's boards: what a row says, what it leaves open, and what is no board."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from schemas.test_time.cost_per_correct import ArcEvaluation
from sources.source import Seed, Snapshot, Source, content_hash
from sources.test_time.arc_prize import SOURCES, parse_board

ROW = {
    "datasetId": "v2_Semi_Private",
    "modelId": "gpt-5-5-high",
    "modelDisplayName": "GPT-5.5 (High)",
    "modelType": "CoT",
    "modelReleaseDate": "2026-04-22T00:00:00.000Z",
    "providerId": "OpenAI",
    "score": 0.8333,
    "costPerTask": 1.45,
    "display": True,
}


def snapshot(body: bytes, source: str = "arc_prize_v2") -> Snapshot:
    return Snapshot(source, body, content_hash(body), "http", "https://arcprize.org", datetime(2026, 9, 5, tzinfo=UTC))


def board(*changes: dict[str, Any]) -> Snapshot:
    rows = [ROW | change for change in changes]
    document = {"version": "v2", "generatedAt": "2026-09-04T14:38:06.319Z", "evaluations": rows}
    return snapshot(json.dumps(document).encode())


def test_a_row_is_read() -> None:
    (row,) = parse_board(board({})).accepted.to_dicts()
    assert (row["board"], row["model_name"], row["score"], row["usd_per_task"]) == (
        "v2",
        "GPT-5.5 (High)",
        0.8333,
        1.45,
    )
    assert (row["model_released_on"], row["generated_on"]) == (date(2026, 4, 22), date(2026, 9, 4))
    assert row["total_cost_usd"] is None


@pytest.mark.parametrize("cost", [0, 0.0, None, "unknown"])
def test_a_cost_of_zero_is_unknown(cost: object) -> None:
    assert parse_board(board({"costPerTask": cost})).accepted["usd_per_task"].to_list() == [None]


def test_a_footnote_is_no_part_of_a_name() -> None:
    assert parse_board(board({"modelDisplayName": "o3 (Preview) \u00b9"})).accepted["model_name"].item() == "o3 (Preview)"


def test_a_contest_entry_dated_before_its_contest_has_no_date() -> None:
    rows = parse_board(
        board(
            {"providerId": "ARC Prize 2025", "modelReleaseDate": "2024-11-03T00:00:00.000Z"},
            {"modelId": "right", "providerId": "ARC Prize 2024", "modelReleaseDate": "2024-11-03T00:00:00.000Z"},
        )
    ).accepted
    assert rows["model_released_on"].to_list() == [None, date(2024, 11, 3)]


def test_a_row_that_is_not_shown_is_kept_and_says_so() -> None:
    assert parse_board(board({"display": False})).accepted["is_shown"].item() is False


def test_bad_rows_are_refused_with_a_reason_and_the_rest_is_kept() -> None:
    parsed = parse_board(board({}, {"modelId": "percent", "score": 83.3}, {"modelId": None}, {"score": 0.5}))
    assert parsed.accepted["score"].to_list() == [0.8333]
    assert sorted(parsed.rejected["rule"]) == ["incomplete_row", "repeated_model", "score_not_a_share"]


@pytest.mark.parametrize(
    "body",
    [b"", b"<!DOCTYPE html>", b"[]", b'{"version": "v2"}', b'{"version":"v2","generatedAt":"","evaluations":[]}'],
)
def test_another_document_is_no_board(body: bytes) -> None:
    with pytest.raises(ValueError, match="arc_prize_v2: expected a board"):
        parse_board(snapshot(body))


@pytest.mark.parametrize(("source", "rows"), list(zip(SOURCES, (25, 155, 7), strict=True)), ids=lambda value: str(value)[:40])
def test_seeds_satisfy_the_contract(source: Source, rows: int) -> None:
    floor = source.floor[0]
    assert isinstance(floor, Seed)
    seeded = parse_board(snapshot(floor.path.read_bytes(), source.name))
    ArcEvaluation.validate(seeded.accepted)
    assert seeded.rejected.is_empty()
    assert seeded.accepted.height == rows


def test_games_cost_by_run_and_tasks_by_task() -> None:
    costs = {}
    for source in SOURCES:
        floor = source.floor[0]
        assert isinstance(floor, Seed)
        rows = parse_board(snapshot(floor.path.read_bytes(), source.name)).accepted
        costs[source.name[-2:]] = (rows["usd_per_task"].count() > 0, rows["total_cost_usd"].count() > 0)
    assert costs == {"v1": (True, False), "v2": (True, False), "v3": (False, True)}

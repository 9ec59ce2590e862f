"""Aider's leaderboard: what a run says, what it leaves open, and what is no leaderboard."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.test_time.cost_per_correct import AiderRun
from sources.source import Seed, Snapshot, content_hash
from sources.test_time.aider_polyglot import SOURCE, parse_runs

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "test_time" / "aider" / "polyglot_leaderboard.yml"
RUN = {
    "dirname": "2025-08-23--gpt-5",
    "model": "gpt-5 (high)",
    "date": date(2025, 8, 23),
    "total_tests": 225,
    "test_cases": 225,
    "pass_num_1": 117,
    "pass_num_2": 198,
    "total_cost": 29.0829,
    "commit_hash": "32faf82",
}


def snapshot(body: bytes) -> Snapshot:
    return Snapshot("aider_polyglot", body, content_hash(body), "http", SOURCE.homepage, datetime(2026, 1, 1, tzinfo=UTC))


def runs(*changes: dict[str, Any]) -> Snapshot:
    return snapshot(yaml.safe_dump([RUN | change for change in changes]).encode())


def seed() -> Snapshot:
    floor = SOURCE.floor[0]
    assert isinstance(floor, Seed)
    return snapshot(floor.path.read_bytes())


def test_a_run_is_read() -> None:
    (row,) = parse_runs(runs({})).accepted.to_dicts()
    assert (row["model"], row["run_on"], row["pass_num_2"]) == ("gpt-5 (high)", date(2025, 8, 23), 198)
    assert row["total_cost_usd"] == 29.0829
    assert row["completion_tokens"] is None


def test_a_cost_of_zero_is_unknown() -> None:
    assert parse_runs(runs({"total_cost": 0.0})).accepted["total_cost_usd"].to_list() == [None]


def test_a_commit_of_digits_stays_text_and_a_quoted_date_is_a_date() -> None:
    (row,) = parse_runs(runs({"commit_hash": 5318380, "date": "2025-06-28"})).accepted.to_dicts()
    assert (row["commit_hash"], row["run_on"]) == ("5318380", date(2025, 6, 28))


def test_a_run_without_passes_is_refused_and_the_rest_is_kept() -> None:
    parsed = parse_runs(runs({}, {"dirname": "broken", "pass_num_2": None}))
    assert parsed.accepted.height == 1
    assert parsed.rejected.select("row_key", "rule").rows() == [("broken", "incomplete_run")]


@pytest.mark.parametrize("body", [b"", b"404: Not Found", b"- a\n- b", b"{unclosed: [", b"- dirname: x\n  model: y\n"])
def test_another_document_is_no_leaderboard(body: bytes) -> None:
    with pytest.raises(ValueError, match="aider_polyglot: expected a list of runs"):
        parse_runs(snapshot(body))


def test_seed_holds_69_runs_of_which_51_have_a_cost() -> None:
    seeded = parse_runs(seed())
    AiderRun.validate(seeded.accepted)
    assert seeded.rejected.is_empty()
    assert seeded.accepted.height == 69
    assert seeded.accepted["total_cost_usd"].count() == 51
    assert seeded.accepted["completion_tokens"].count() == 23


@pytest.mark.published
@pytest.mark.skipif(not PUBLISHED.exists(), reason="reference data is not beside this checkout")
def test_seed_says_what_the_published_file_says() -> None:
    assert parse_runs(seed()).accepted.equals(parse_runs(snapshot(PUBLISHED.read_bytes())).accepted)

"""What a user watches is told when a refresh changes it, once each."""

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.watch import tell_watched, watched
from tests.live_server import LiveServer, status
from warehouse.changes import Change, Kind
from warehouse.resources import read_settings

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


def moved(kind: Kind, subject: str, detail: str = "") -> Change:
    return Change(kind=kind, subject=subject, detail=detail, before=1.0, after=2.0, unit="usd_per_mtok")


@pytest.mark.parametrize(
    ("rule", "is_told"),
    [
        ({"price": "gpt-4o"}, True),
        ({"price": "GPT-4*"}, True),
        ({"price": "gpt-4o openai *"}, True),
        ({"price": "gpt-4o azure *"}, False),
        ({"price": "gpt-5"}, False),
        ({"rent": "gpt-4o"}, False),
    ],
)
def test_a_rule_names_a_kind_and_a_pattern(rule: dict, is_told: bool):
    change = moved(Kind.PRICE, "gpt-4o", "openai input")
    assert watched([change], [rule]) == ((change,) if is_told else ())


def test_a_frontier_is_any_of_the_three():
    changes = [moved(kind, "gpt-5") for kind in (Kind.PRICE_FRONTIER, Kind.CORRECT_FRONTIER, Kind.MODEL)]
    assert watched(changes, [{"frontier": "gpt-5"}]) == tuple(changes[:2])


def test_a_kind_that_is_none_is_named_with_its_place(tmp_path: Path):
    (tmp_path / "config.yaml").write_text("watch: [{prize: gpt-4o}]\n")
    with pytest.raises(ValueError, match=r"config\.yaml: Invalid enum value 'prize'"):
        read_settings(tmp_path / "config.yaml")


def publish(root: Path, *, hour: int, usd: float) -> None:
    """A release with one rent and nothing else."""
    releases = root / "releases"
    releases.mkdir(exist_ok=True)
    file = releases / f"20261201T{hour:02}0000Z-aaaaaaaa.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "CREATE SCHEMA meta; CREATE TABLE meta.release AS SELECT now() AS built_at; CREATE SCHEMA core; "
            "CREATE TABLE core.gpu_price AS SELECT 'h100-sxm' AS gpu, 'on_demand' AS term, ?::DOUBLE AS usd_per_gpu_hour",
            [usd],
        )
    (releases / "latest.duckdb").unlink(missing_ok=True)
    (releases / "latest.duckdb").symlink_to(file.name)


def test_what_moved_is_told_once_and_again_where_the_webhook_did_not_answer(tmp_path: Path, live_server: LiveServer):
    url = live_server.serve("/watch", status(200), status(500), status(200))
    (tmp_path / "config.yaml").write_text(json.dumps({"webhook": url, "watch": [{"rent": "h100*"}]}))
    publish(tmp_path, hour=1, usd=2.0)
    assert tell_watched(tmp_path, at=AT) == []
    publish(tmp_path, hour=2, usd=3.0)
    assert tell_watched(tmp_path, at=AT) == ["h100-sxm, on_demand: $2 -> $3 (1.5 times)"]
    assert tell_watched(tmp_path, at=AT) == []
    publish(tmp_path, hour=3, usd=4.0)
    assert "it is told again" in tell_watched(tmp_path, at=AT)[-1]
    publish(tmp_path, hour=4, usd=6.0)
    assert tell_watched(tmp_path, at=AT) == ["h100-sxm, on_demand: $3 -> $6 (2 times)"]
    texts = [json.loads(seen.body)["text"] for seen in live_server.seen("/watch")]
    assert texts[0] == "iecon: h100-sxm, on_demand: $2 -> $3 (1.5 times)"
    assert texts[-1] == "iecon: h100-sxm, on_demand: $3 -> $6 (2 times)"


def test_without_rules_nothing_is_looked_at(tmp_path: Path):
    publish(tmp_path, hour=1, usd=2.0)
    assert tell_watched(tmp_path, at=AT) == []
    assert not (tmp_path / "watched.release").exists()

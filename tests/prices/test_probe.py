"""The live sources asked once, through the real transports, with nothing kept."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from answers.probe import Probed, probe, show_probed, write_probed
from answers.text import PlainConsole
from assets.documents import READERS
from sources.prices.litellm import SOURCE, parse_prices
from sources.transports.http import Policy
from sources.transports.ladder import load
from tests import live_server as answers
from tests.live_server import HERE, LiveServer
from warehouse.resources import Settings

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PATH = "/BerriAI/litellm/main/model_prices_and_context_window.json"


def served(server: LiveServer, **models: dict[str, object]) -> Settings:
    document = {name: {"litellm_provider": "openai"} | entry for name, entry in models.items()}
    server.serve(PATH, answers.document(json.dumps(document).encode()))
    return Settings(urls={"litellm": server.url}, private_hosts=HERE)


def asked(root: Path, settings: Settings) -> Probed:
    assert READERS["litellm"] is parse_prices
    (found,) = probe(root, settings, names=["litellm"], now=NOW)
    return found


def test_rows_unknown_keys_and_what_would_change_are_said_and_nothing_is_kept(tmp_path: Path, live_server: LiveServer):
    settings = served(live_server, a={"input_cost_per_token": 1e-6}, b={"input_cost_per_token": 2e-6})
    load(
        SOURCE,
        parse_prices,
        bronze_root=tmp_path / "bronze",
        policy=Policy(private_hosts=HERE, min_interval_s=0.0),
        offline=False,
        now=NOW - timedelta(days=1),
        urls=settings.urls,
    )
    kept = sorted(tmp_path.rglob("*"))
    served(live_server, a={"input_cost_per_token": 3e-6, "cost_per_thought": 1.0}, c={"input_cost_per_token": -1.0})
    found = asked(tmp_path, settings)
    assert (found.rows, found.refused, found.new_rows, found.gone_rows) == (1, 2, 1, 2)
    assert found.unknown == ("cost_per_thought",)
    assert found.warning == "33% of its rows can be used, 100% before"
    assert sorted(tmp_path.rglob("*")) == kept
    said = StringIO()
    show_probed([found], console=PlainConsole(file=said, width=200))
    assert "warning: keys that nobody knows: cost_per_thought" in said.getvalue()
    written = StringIO()
    write_probed([found], written)
    assert json.loads(written.getvalue())[0]["unknown"] == ["cost_per_thought"]


def test_source_that_does_not_answer_is_said(tmp_path: Path, live_server: LiveServer):
    live_server.serve("/api/v1/models", answers.html())
    settings = Settings(urls={"openrouter": live_server.url}, private_hosts=HERE)
    (found,) = probe(tmp_path, settings, names=["openrouter"], now=NOW)
    assert found.rows is None
    assert "openrouter: http unreadable" in str(found.problem)


def test_name_that_no_live_source_has_is_refused_with_what_was_meant(tmp_path: Path):
    with pytest.raises(ValueError, match=r"litelm is no live source: did you mean litellm"):
        probe(tmp_path, Settings(), names=["litelm"], now=NOW)

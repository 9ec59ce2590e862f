"""Days of prices from a real server whose figures, shapes and failures change, and whole refreshes over one folder."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

import assets
from pipelines.refresh import QUIET, RefreshRunningError, refresh
from pipelines.resources import resources
from schemas.base import Table
from schemas.evidence.provenance import Refresh
from schemas.prices.capability import Capability
from schemas.prices.frontier import MonthlyPrice, PriceFrontierHistory
from schemas.prices.gpu_rents import GpuRent
from schemas.prices.llm_prices import LlmPrice, LlmPriceCurrent
from schemas.prices.models import Model
from schemas.quarantine import Quarantine
from tests.live_server import HERE, LiveServer, Reply, document, html, status
from tests.refreshed import ROOT, built_at
from warehouse.resources import NOW_TAG
from warehouse.store import read_table, table_path, write_frame

PATH = "/api/v1/models"
FIRST_DAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
"""Later than the data folder was built, whenever that is."""
Day = Callable[[int, Reply], str]
STEPS = ["source/openrouter", "raw/openrouter_price", "core/llm_price", "core/llm_price_current", "meta/quarantine"]


def models(**prices: str) -> bytes:
    """A models endpoint of two hundred routes; named ones have their own input price per token."""
    known = {f"model-{i}": "0.000001" for i in range(200)} | prices
    return json.dumps(
        {
            "data": [
                {
                    "id": f"acme/{name}",
                    "name": name,
                    "created": 1778613011,
                    "context_length": 1000,
                    "supported_parameters": [],
                    "pricing": {"prompt": price, "completion": "0.000002"},
                }
                for name, price in known.items()
            ]
        }
    ).encode()


@pytest.fixture
def folder(refreshed: Path, tmp_path: Path) -> Path:
    """A copy of the refreshed data folder, free to be changed."""
    return Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))


@pytest.fixture
def day(folder: Path, live_server: LiveServer) -> Day:
    """Take in OpenRouter's prices as of a day, answered by the local server; tells where the document was served from."""
    (folder / "config.yaml").write_text(
        json.dumps({"urls": {"openrouter": live_server.url}, "private_hosts": [*HERE], "contact": "ops@example.org"})
    )

    def run(number: int, reply: Reply) -> str:
        live_server.serve(PATH, reply)
        result = dg.materialize(
            dg.load_assets_from_package_module(assets),
            selection=STEPS,
            resources=resources(folder),
            run_config=QUIET,
            tags={NOW_TAG: (FIRST_DAY + timedelta(days=number)).isoformat()},
        )
        return str(result.asset_materializations_for_node("source__openrouter")[0].metadata["served_from"].value)

    return run


def rows(folder: Path, schema: type[Table]) -> pl.DataFrame:
    frame = read_table(folder / "tables", schema)
    assert frame is not None
    return frame


def prices_of(folder: Path, model: str) -> list[tuple[float, bool]]:
    """Input prices of a route in order, each with whether it still holds; those that are held back are no prices."""
    of_the_route = (pl.col("source_model") == f"acme/{model}", pl.col("leg") == "input", pl.col("status") != "held")
    own = rows(folder, LlmPrice).filter(*of_the_route)
    return own.sort("valid_from").select("usd_per_mtok", pl.col("valid_to").is_null()).rows()


def rules_of(folder: Path, model: str) -> set[str]:
    refused = rows(folder, Quarantine).filter(pl.col("row_key").str.contains(f"acme/{model}( |$)"))
    return set(refused["rule"])


def test_prices_change_and_history_follows(folder: Path, day: Day, live_server: LiveServer):
    assert day(0, document(models(a="0.000003"), etag='"1"')) == "http"
    assert live_server.seen(PATH)[-1].headers["User-Agent"].endswith("(+ops@example.org)")
    day(2, document(models(a="0.0000015"), etag='"2"'))
    assert prices_of(folder, "a") == [(3.0, False), (1.5, True)]


def test_unchanged_document_adds_no_row(folder: Path, day: Day, live_server: LiveServer):
    day(0, document(models(a="0.000003"), etag='"1"'))
    before = rows(folder, LlmPrice)
    assert day(1, document(models(a="0.000003"), etag='"1"')) == "http"
    assert live_server.seen(PATH)[-1].headers["If-None-Match"] == '"1"'
    assert rows(folder, LlmPrice).height == before.height
    assert prices_of(folder, "a") == [(3.0, True)]


@pytest.mark.parametrize(
    "broken",
    [html(), status(404), document(b'{"data": [{"id"'), document(b"[]"), document(b'{"data": []}')],
    ids=["html", "not found", "truncated", "another shape", "empty"],
)
def test_broken_answer_leaves_the_last_good_prices(folder: Path, day: Day, broken: Reply):
    day(0, document(models(a="0.000003")))
    assert day(1, broken) == "bronze"
    assert prices_of(folder, "a") == [(3.0, True)]


def test_unit_slip_is_quarantined_and_the_last_price_stays(folder: Path, day: Day):
    day(0, document(models(a="0.000003")))
    day(1, document(models(a="0.0003")))
    assert prices_of(folder, "a") == [(3.0, True)]
    assert rules_of(folder, "a") == {"jump_20x"}


def test_mass_disappearance_is_refused_whole(folder: Path, day: Day):
    day(0, document(models(a="0.000003")))
    day(1, document(json.dumps({"data": json.loads(models())["data"][:5]}).encode()))
    assert prices_of(folder, "a") == [(3.0, True)]
    assert "mass_disappearance" in set(rows(folder, Quarantine)["rule"])


def test_minus_one_zero_and_text_prices_are_kept_apart_with_their_rule(folder: Path, day: Day):
    day(0, document(models(a="-1", b="0", c="soon", d="0.0000006000000000000001")))
    assert [rules_of(folder, name) for name in "abc"] == [{"variable_price"}, {"zero_price"}, {"not_a_number"}]
    assert prices_of(folder, "d") == [(0.6, True)]


def test_second_refresh_at_the_same_time_is_refused_in_one_line(folder: Path):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import sys\nfrom filelock import FileLock\n"
                f"with FileLock({str(folder / 'refresh.lock')!r}):\n    print('held', flush=True)\n    sys.stdin.read()\n"
            ),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RefreshRunningError, match="another refresh is running"):
            refresh(folder, job="refresh", offline=True, on_step=lambda *_: None)
    finally:
        holder.communicate("", timeout=20)


@pytest.mark.slow
def test_offline_refresh_again_changes_no_table(folder: Path):
    kept = (LlmPrice, LlmPriceCurrent, GpuRent, Capability, Model)
    before = {schema: rows(folder, schema) for schema in kept}
    quarantined = rows(folder, Quarantine).drop("last_seen_at")
    again = {NOW_TAG: built_at(folder).isoformat()}
    outcome = refresh(folder, job="refresh", offline=True, on_step=lambda *_: None, tags=again)
    assert outcome.success
    assert outcome.not_reached == []
    for schema in kept:
        assert rows(folder, schema).equals(before[schema]), schema
    assert rows(folder, Quarantine).drop("last_seen_at").equals(quarantined)


@pytest.mark.slow
def test_failed_step_leaves_its_last_good_table_and_the_rest_is_published(folder: Path):
    prices = rows(folder, MonthlyPrice).with_columns(-pl.col("input_usd_per_mtok"))
    write_frame(table_path(folder / "tables", MonthlyPrice), prices)
    release, history = (folder / "releases" / "latest.duckdb").resolve(), rows(folder, PriceFrontierHistory)
    outcome = refresh(folder, job="refresh_capability", offline=True, on_step=lambda *_: None)
    assert not outcome.success
    failed = outcome.steps.filter(pl.col("outcome") == "failed")
    of_history = failed.filter(asset="marts.price_frontier_history")
    assert "must not be negative" in of_history["warnings"].item()
    assert rows(folder, PriceFrontierHistory).equals(history)
    assert (folder / "releases" / "latest.duckdb").resolve() != release
    told = rows(folder, Refresh).filter(pl.col("run_id") == outcome.run_id, pl.col("outcome") == "failed")
    assert told["asset"].sort().to_list() == failed["asset"].sort().to_list()

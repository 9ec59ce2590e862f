"""The code location as an orchestrator sees it: lineage, groups, owners, columns, schedules, and the running UI's own word."""

import json
import shutil
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from pipelines.definitions import definitions
from pipelines.jobs import SOURCE_GROUPS
from pipelines.resources import instance, resources
from schemas.base import polars_schema, table_name
from schemas.registry import ROOMS, TABLES
from warehouse.table import asset_key

GRAPH = definitions().resolve_asset_graph()
KEYS = sorted(GRAPH.get_all_asset_keys(), key=str)
BACKFILLED = {key for key in KEYS if GRAPH.get(key).partitions_def}
"""Built when asked for, never by a refresh."""


@pytest.mark.parametrize("key", KEYS, ids=lambda key: ".".join(key.path))
def test_asset_says_what_it_is_whose_it_is_and_what_columns_it_has(key: dg.AssetKey):
    node = GRAPH.get(key)
    assert node.group_name
    assert node.owners
    assert node.description
    if key.path[0] in ("raw", "core", "marts", "meta"):
        columns = [column.name for column in node.metadata["dagster/column_schema"].columns]
        assert columns == list(polars_schema(TABLES[key.path[-1]]))


def test_groups_are_the_six_rooms_and_what_is_published():
    assert {GRAPH.get(key).group_name for key in KEYS} == {*ROOMS, "release", "report"}


@pytest.mark.parametrize("key", [key for key in KEYS if key.path[0] == "marts"], ids=str)
def test_mart_traces_back_to_sources(key: dg.AssetKey):
    ancestors = GRAPH.get_ancestor_asset_keys(key)
    assert {ancestor.path[0] for ancestor in ancestors} >= {"source", "raw", "core"}


def test_every_contract_has_its_asset_and_the_report_waits_for_the_release_and_that_for_all():
    assert {dg.AssetKey(table_name(schema).split(".")) for schema in TABLES.values()} <= set(KEYS)
    release, page, copy = (
        dg.AssetKey(["release", "latest"]),
        dg.AssetKey(["report", "page"]),
        dg.AssetKey(["release", "object_store"]),
    )
    assert set(KEYS) - GRAPH.get_ancestor_asset_keys(release) == {release, page, copy} | BACKFILLED
    assert GRAPH.get(page).parent_keys == GRAPH.get(copy).parent_keys == {release}


def test_schedules_exist_for_each_group_and_are_off():
    schedules = {schedule.name: schedule for schedule in definitions().schedules or []}
    assert set(schedules) == {f"{group}_schedule" for group in SOURCE_GROUPS} | {"daily_price_schedule"}
    assert {schedule.default_status for schedule in schedules.values()} == {dg.DefaultScheduleStatus.STOPPED}


@pytest.mark.slow
def test_schedule_tick_leads_to_a_materialised_run(refreshed: Path, tmp_path: Path):
    folder = Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))
    repository = definitions().get_repository_def()
    schedule = repository.get_schedule_def("capability_schedule")
    with instance(folder) as dagster:
        tick = schedule.evaluate_tick(
            dg.build_schedule_context(instance=dagster, scheduled_execution_time=datetime(2026, 12, 1, 4, 30, tzinfo=UTC))
        )
        (request,) = tick.run_requests or []
        job = definitions().resolve_job_def(schedule.job_name)
        result = job.execute_in_process(
            instance=dagster,
            tags=request.tags,
            run_config=request.run_config,
            resources=resources(folder, offline=True),
        )
    assert result.success
    built = {".".join(event.asset_key.path) for event in result.get_asset_materialization_events() if event.asset_key}
    assert {"core.capability", "marts.price_frontier", "meta.refresh", "release.latest"} <= built
    assert "raw.litellm_price" not in built


def test_every_stated_origin_of_a_column_is_read():
    """An origin in a table that the asset does not read would be left out of the lineage without a word."""
    for key in KEYS:
        if (schema := TABLES.get(key.path[-1])) is None:
            continue
        lineage = GRAPH.get(key).metadata["dagster/column_lineage"].deps_by_column
        stated = {name for name, spec in schema.to_schema().columns.items() if (spec.metadata or {}).get("derived_from")}
        assert stated <= set(lineage), (key, stated - set(lineage))


def test_every_price_is_traced_to_documents():
    def origins(key: dg.AssetKey, column: str) -> set[str]:
        deps = () if key.path[0] == "source" else GRAPH.get(key).metadata["dagster/column_lineage"].deps_by_column[column]
        return {"/".join(key.path)} if not deps else set().union(*(origins(dep.asset_key, dep.column_name) for dep in deps))

    found = origins(asset_key(TABLES["price_frontier"]), "cpm_usd_per_mtok")
    assert {"source/litellm", "source/openrouter", "source/genai_prices", "source/models_dev"} <= found
    assert {name.split("/")[0] for name in found} == {"source"}


def test_running_ui_shows_lineage_groups_owners_and_checks(webserver: str):
    question = """{ assetNodes { assetKey { path } dependencyKeys { path } groupName description kinds
        owners { ... on TeamAssetOwner { team } }
        assetMaterializations(limit: 1) { runId }
        assetObservations(limit: 1) { metadataEntries { label ... on MarkdownMetadataEntry { mdStr } } }
        hasAssetChecks metadataEntries { __typename label } } }"""
    request = urllib.request.Request(
        f"{webserver}/graphql",
        json.dumps({"query": question}).encode(),
        {"Content-Type": "application/json", "Origin": webserver},
    )
    answer = json.loads(urllib.request.urlopen(request, timeout=60).read())
    nodes = {"/".join(node["assetKey"]["path"]): node for node in answer["data"]["assetNodes"]}
    assert set(nodes) == {"/".join(key.path) for key in KEYS}
    for name, node in nodes.items():
        assert node["groupName"], name
        assert node["description"], name
        assert node["owners"] == [{"team": "inference-economics"}], name
        assert node["assetMaterializations"] or name in {"/".join(key.path) for key in BACKFILLED}, name
    parents = {name: {"/".join(key["path"]) for key in node["dependencyKeys"]} for name, node in nodes.items()}
    assert parents["marts/price_frontier"] == {"core/llm_price_current", "core/capability", "core/model"}
    reached, todo = set(), {"marts/price_frontier"}
    while todo:
        reached |= todo
        todo = {parent for name in todo for parent in parents[name]} - reached
    assert {"source/litellm", "source/epoch", "source/genai_prices"} <= reached
    labels = {entry["label"] for entry in nodes["marts/price_frontier"]["metadataEntries"]}
    assert {"dagster/column_schema", "dagster/column_lineage"} <= labels
    assert nodes["core/llm_price"]["hasAssetChecks"]
    (observed,) = nodes["marts/routing_premium"]["assetObservations"]
    pictures = {entry["label"]: entry.get("mdStr", "") for entry in observed["metadataEntries"]}
    assert "](data:image/png;base64,iVBOR" in pictures["figure"]

"""The product's jobs without the report page, whose figures take longer to draw than all the rest: for tests of storage."""

from typing import Any

import dagster as dg

import assets
from pipelines.jobs import PARTITIONED, SOURCE_GROUPS
from pipelines.resources import default_resources
from warehouse.table import GROUP_TAG

ASSETS = dg.load_assets_from_package_module(assets)
PUBLISHING = dg.AssetSelection.tag(GROUP_TAG, "provenance") | dg.AssetSelection.groups("release")


def light_definitions(*more: Any) -> dg.Definitions:
    """`publish`, one job per group as in `pipelines.jobs`, and any more, none of which draws figures."""
    by_group = [
        dg.define_asset_job(
            f"refresh_{name}",
            selection=(dg.AssetSelection.tag(GROUP_TAG, name).downstream() | PUBLISHING)
            - PARTITIONED
            - dg.AssetSelection.groups("report"),
        )
        for name in SOURCE_GROUPS
    ]
    return dg.Definitions(
        assets=ASSETS,
        jobs=[dg.define_asset_job("publish", selection=PUBLISHING), *by_group, *more],
        resources=default_resources(),
        executor=dg.in_process_executor,
    )

"""The Dagster code location: what is defined elsewhere, put together. Nothing else belongs here."""

import dagster as dg

import assets
from pipelines import jobs, schedules, sensors
from pipelines.executors import chosen_executor
from pipelines.resources import default_resources


@dg.definitions
def definitions() -> dg.Definitions:
    """All assets, checks, jobs, schedules and sensors."""
    return dg.Definitions(
        assets=dg.load_assets_from_package_module(assets),
        asset_checks=dg.load_asset_checks_from_package_module(assets),
        jobs=jobs.all_jobs,
        schedules=schedules.schedules,
        sensors=sensors.sensors,
        resources=default_resources(),
        executor=chosen_executor(),
    )

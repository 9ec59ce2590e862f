"""Jobs: one that refreshes everything, one per group with all that follows from it, and one that only publishes."""

import dagster as dg

SOURCE_GROUPS = ("llm_prices", "gpu_rents", "capability", "benchmark_outputs", "inference_frontier")
"""Groups that begin at a publisher. Everything else follows from them."""

PUBLISHING = dg.AssetSelection.groups("provenance", "release", "report")

refresh = dg.define_asset_job(
    "refresh", selection=dg.AssetSelection.all(), description="Fetch every source, recompute every table, publish."
)
publish = dg.define_asset_job(
    "publish", selection=PUBLISHING, description="Publish the tables as they stand, without fetching or computing."
)
by_group = {
    group: dg.define_asset_job(
        f"refresh_{group}",
        selection=dg.AssetSelection.groups(group).downstream() | PUBLISHING,
        description=f"Refresh {group.replace('_', ' ')}, all that follows from it, and publish.",
    )
    for group in SOURCE_GROUPS
}
all_jobs = [refresh, publish, *by_group.values()]

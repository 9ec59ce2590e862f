"""Jobs: one that refreshes everything, one per group with all that follows from it, and one that only publishes."""

import dagster as dg

from warehouse.table import GROUP_TAG

SOURCE_GROUPS = ("llm_prices", "gpu_rents", "capability", "benchmark_outputs", "inference_frontier", "market")
"""Parts of a refresh that begin at a publisher. Everything else follows from them."""

PUBLISHING = dg.AssetSelection.tag(GROUP_TAG, "provenance") | dg.AssetSelection.groups("release", "report")

PARTITIONED = dg.AssetSelection.tag(GROUP_TAG, "partitions")
"""Built by backfills and their own schedule, since a refresh need not compute thousands of partitions again."""

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all() - PARTITIONED,
    description="Fetch every source, recompute every table, publish.",
)
publish = dg.define_asset_job(
    "publish", selection=PUBLISHING, description="Publish the tables as they stand, without fetching or computing."
)
by_group = {
    group: dg.define_asset_job(
        f"refresh_{group}",
        selection=dg.AssetSelection.tag(GROUP_TAG, group).downstream() - PARTITIONED | PUBLISHING,
        description=f"Refresh {group.replace('_', ' ')}, all that follows from it, and publish.",
    )
    for group in SOURCE_GROUPS
}
daily_price = dg.define_asset_job(
    "daily_price",
    selection=dg.AssetSelection.assets("partitions/daily_price"),
    description="Prices of one day, or of any range of days in one backfill.",
)
all_jobs = [refresh, publish, *by_group.values(), daily_price]

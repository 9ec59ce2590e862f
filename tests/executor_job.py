"""The product's definitions with one small job more, so that Dagster's own command can run it at a stated time."""

import dagster as dg

from pipelines import definitions as product

JOB = "few_assets"
ASSETS = [
    "source/epoch",
    "source/capability_figures",
    "raw/epoch_eci",
    "raw/epoch_benchmark",
    "raw/capability_seed",
    "core/capability",
    "marts/price_frontier",
    "marts/price_frontier_history",
    "release/latest",
]
SELECTION = dg.AssetSelection.assets(*(dg.AssetKey(name.split("/")) for name in ASSETS))

defs = dg.Definitions.merge(product.definitions(), dg.Definitions(jobs=[dg.define_asset_job(JOB, selection=SELECTION)]))

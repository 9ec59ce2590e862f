"""SkyPilot's catalogue: instance prices of many clouds, one CSV per cloud, refreshed about every seven hours.

Column order differs per cloud, so columns are read by name. Prices are per instance and hour. Each cloud has its own habits
(see the constants): they are corrected here with a note, or refused with a reason.
"""

import ast
import json
from typing import Any

import polars as pl

from schemas.base import empty
from schemas.quarantine import Parsed, Rejected, reject
from sources.prices.gpu_names import HINT_SEPARATOR, instances
from sources.prices.gpu_offers import DRAFT, count_out_of_scope, finish, read_table
from sources.source import Http, Snapshot, Source, refuses_in_words

PROVIDER_KIND = {
    "aws": "hyperscaler",
    "gcp": "hyperscaler",
    "oci": "hyperscaler",
    "lambda": "specialised",
    "nebius": "specialised",
    "verda": "specialised",
    "runpod": "specialised",
    "hyperbolic": "specialised",
    "hyperstack": "specialised",
    "mithril": "specialised",
    "seeweb": "specialised",
    "cudo": "specialised",
    "lium": "marketplace",
    "primeintellect": "marketplace",
    "shadeform": "marketplace",
    "vast": "marketplace",
}
"""Clouds read, and what kind of seller each is; those that resell the machines of others are marketplaces."""

GIVES_MEMORY_OF_ALL_GPUS = {"primeintellect", "vast"}
"""SizeInMiB is the memory of all GPUs of the instance."""
PRICES_GPU_AND_HOST_APART = {"gcp"}
"""A row without instance type is the GPUs alone; the host with its own row has to be added."""
LISTS_MINIMUM_BIDS = {"mithril"}
"""Prices are the lowest bid an auction takes, not what it clears at."""
PLACEHOLDER_BID_USD_PER_GPU = 1.0
SPOT_MAY_EQUAL_ON_DEMAND = {"aws"}
"""Here spot prices are quoted per zone and can reach the list price; elsewhere an equal figure is the list price repeated."""
_NOTE = {
    "gcp": "price of the GPUs plus price of their host",
    "mithril": "lowest bid the auction takes, not the price at which it clears",
    "vast": "near the median of the hosts in the catalogue, not the cheapest",
}
MIB_PER_GB = 1024.0
LEAST_MIB = 1024.0
"""Less than this is a memory in GB under a heading that says MiB (RunPod)."""

_REPOSITORY = "https://raw.githubusercontent.com/skypilot-org/skypilot-catalog/master/catalogs/v8"
_MIRROR = "https://skypilot-catalog.s3.us-east-1.amazonaws.com/catalogs/v8"
_PREFIX = "skypilot_"

SOURCES = tuple(
    Source(
        name=f"{_PREFIX}{cloud}",
        title=f"SkyPilot catalogue, {cloud}",
        homepage="https://github.com/skypilot-org/skypilot-catalog",
        licence="none stated for the catalogue; SkyPilot itself is Apache-2.0",
        live=(Http(f"{_REPOSITORY}/{cloud}/vms.csv"), Http(f"{_MIRROR}/{cloud}/vms.csv")),
    )
    for cloud in PROVIDER_KIND
)

_PLACE = ["Region", "AvailabilityZone"]


@refuses_in_words
def parse_offers(snapshot: Snapshot) -> Parsed:
    """Read one cloud's catalogue into offers (contract `RawGpuOffer`) and rows refused (contract `Rejected`).

    On-demand and spot prices become offers of their own. Raises ValueError where a needed column is missing or the
    source is none of ours.
    """
    cloud = snapshot.source.removeprefix(_PREFIX)
    if cloud not in PROVIDER_KIND:
        raise ValueError(f"{snapshot.source!r} is no SkyPilot source")
    source = snapshot.source
    rows = read_table(
        snapshot.body,
        texts=["InstanceType", "AcceleratorName", "Region"],
        numbers=["AcceleratorCount", "Price", "SpotPrice"],
        optional=["AvailabilityZone", "GpuInfo", "UpstreamCloudId"],
    )
    whole, without_gpu, without_host = _part(rows, cloud)
    draft = _draft(_one_row_per_term(whole, cloud), cloud)
    draft, placeholders = _refuse_placeholder_bids(draft, source) if cloud in LISTS_MINIMUM_BIDS else (draft, empty(Rejected))
    parsed = finish(draft, snapshot)
    refused = [
        count_out_of_scope(without_gpu, source, "no_gpu", "the instance has no GPU"),
        count_out_of_scope(without_host, source, "host_price_apart", "accelerators alone: their host is paid apart"),
        placeholders,
        parsed.rejected,
    ]
    return Parsed(parsed.accepted, pl.concat(refused))


def _part(rows: pl.DataFrame, cloud: str) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Part rows into whole GPU instances, instances without GPU, and accelerators whose host is priced apart.

    Where a cloud prices GPUs and host apart, both are summed, zone by zone, for hosts that take one kind of GPU only.
    """
    has_gpu = pl.col("AcceleratorName").is_not_null() & (pl.col("AcceleratorCount") > 0).fill_null(False)
    with_gpu, without_gpu = rows.filter(has_gpu), rows.filter(~has_gpu)
    if cloud not in PRICES_GPU_AND_HOST_APART:
        return with_gpu, without_gpu, rows.clear()
    documented = pl.DataFrame(
        [(it.pattern, it.source_gpu, it.gpu_count) for it in instances() if it.cloud == cloud and it.gpu_count],
        schema={"InstanceType": pl.String, "AcceleratorName": pl.String, "AcceleratorCount": pl.Float64},
        orient="row",
    )
    hosts = without_gpu.select("InstanceType", *_PLACE, host="Price", host_spot="SpotPrice").join(documented, on="InstanceType")
    same_gpus = ["AcceleratorName", "AcceleratorCount", *_PLACE]
    both = hosts.join(
        with_gpu.drop("InstanceType").unique(same_gpus, keep="first", maintain_order=True),
        on=same_gpus,
        nulls_equal=True,
    )
    summed = both.with_columns(Price=pl.col("Price") + pl.col("host"), SpotPrice=pl.col("SpotPrice") + pl.col("host_spot"))
    return (
        summed.select(rows.columns),
        without_gpu.join(documented, on="InstanceType", how="anti"),
        with_gpu.join(both, on=same_gpus, how="anti", nulls_equal=True),
    )


def _one_row_per_term(rows: pl.DataFrame, cloud: str) -> pl.DataFrame:
    """Part on-demand from spot; a spot price that repeats the on-demand price is left out and noted."""
    equal = (pl.col("SpotPrice") == pl.col("Price")).fill_null(False)
    repeats = equal if cloud not in SPOT_MAY_EQUAL_ON_DEMAND else pl.lit(False)
    is_bid = cloud in LISTS_MINIMUM_BIDS
    repeat_note = None if is_bid else "the catalogue repeats it as spot price: no spot price is known"
    main = rows.filter(pl.col("Price").is_not_null()).with_columns(
        term=pl.lit("spot" if is_bid else "on_demand"),
        usd=pl.col("Price"),
        repeat_note=pl.when(repeats).then(pl.lit(repeat_note, pl.String)),
    )
    spot = rows.filter(pl.col("SpotPrice").is_not_null() & ~repeats).with_columns(
        term=pl.lit("spot"), usd=pl.col("SpotPrice"), repeat_note=pl.lit(None, pl.String)
    )
    return pl.concat([main, spot])


def _draft(rows: pl.DataFrame, cloud: str) -> pl.DataFrame:
    facts = [_gpu_facts(text) for text in rows["GpuInfo"]]
    size_mib = pl.Series("size_mib", [size for size, _ in facts], pl.Float64)
    info_name = pl.Series("info_name", [name for _, name in facts], pl.String)
    of_all = pl.lit(cloud in GIVES_MEMORY_OF_ALL_GPUS)
    one_gpu_mib = pl.when(of_all).then(pl.col("size_mib") / pl.col("AcceleratorCount")).otherwise(pl.col("size_mib"))
    is_in_gb = pl.col("size_mib") < LEAST_MIB
    note = pl.col("repeat_note")
    if cloud in _NOTE:
        note = pl.concat_str(pl.lit(_NOTE[cloud]), note, separator="; ", ignore_nulls=True)
    return (
        rows.with_columns(size_mib, info_name)
        .select(
            provider=pl.lit(cloud),
            provider_kind=pl.lit(PROVIDER_KIND[cloud]),
            instance_type="InstanceType",
            instance_hint=pl.concat_str(
                "InstanceType", "UpstreamCloudId", "info_name", separator=HINT_SEPARATOR, ignore_nulls=True
            ),
            source_gpu="AcceleratorName",
            gpu_count="AcceleratorCount",
            gpu_memory_gb=pl.when(is_in_gb).then("size_mib").otherwise(one_gpu_mib / MIB_PER_GB),
            term="term",
            region="Region",
            usd_per_instance_hour="usd",
            price_basis=pl.lit("per_instance"),
            basis=pl.lit("derived" if cloud in PRICES_GPU_AND_HOST_APART else "catalogue"),
            valid_from=pl.lit(None, pl.Date),
            valid_to=pl.lit(None, pl.Date),
            date_basis=pl.lit(None, pl.String),
            note=note,
        )
        .select(*DRAFT)
    )


def _refuse_placeholder_bids(draft: pl.DataFrame, source: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    is_placeholder = pl.col("usd_per_instance_hour") == PLACEHOLDER_BID_USD_PER_GPU * pl.col("gpu_count")
    refused = reject(
        draft.filter(is_placeholder),
        source=source,
        row_key=pl.concat_str("instance_type", "region", separator=" | ", ignore_nulls=True),
        column_name="Price",
        value=pl.col("usd_per_instance_hour"),
        rule="placeholder_bid",
        reason="one dollar per GPU is the auction's lowest allowed bid, not a price at which anything is rented",
        severity="suspect",
    )
    return draft.filter(~is_placeholder), refused


def _gpu_facts(text: str | None) -> tuple[float | None, str | None]:
    """Size (under its heading of MiB) and name of the first GPU in a GpuInfo cell, which is JSON or a Python literal.

    `TotalGpuMemoryInMiB` is not read: clouds disagree on what it sums.
    """
    for read in (json.loads, ast.literal_eval):
        try:
            info: Any = read(text or "")
            first = info["Gpus"][0]
            size = first.get("MemoryInfo", {}).get("SizeInMiB")
            name = first.get("Name")
        except (ValueError, SyntaxError, KeyError, IndexError, TypeError, AttributeError, RecursionError, MemoryError):
            continue
        return (
            float(size) if isinstance(size, int | float) and size > 0 else None,
            name if isinstance(name, str) else None,
        )
    return None, None

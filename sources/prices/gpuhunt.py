"""dstack's gpuhunt catalogue: instance prices of many clouds, one versioned zip per cloud with one CSV inside.

Prices are per instance and hour. Column names and meaning are those of gpuhunt 0.1.34 (`_internal/storage.py`, layout v3).
"""

import io
import json
import zipfile
import zlib
from pathlib import PurePosixPath

import polars as pl

from schemas.quarantine import Parsed
from sources.prices.gpu_offers import DRAFT, count_out_of_scope, finish, read_table
from sources.source import HttpVersioned, Snapshot, Source, refuses_in_words

PROVIDER = {
    "aws": ("aws", "hyperscaler"),
    "azure": ("azure", "hyperscaler"),
    "gcp": ("gcp", "hyperscaler"),
    "oci": ("oci", "hyperscaler"),
    "verda": ("verda", "specialised"),
    "lambdalabs": ("lambda", "specialised"),
    "nebius": ("nebius", "specialised"),
    "runpod": ("runpod", "specialised"),
    "cloudrift": ("cloudrift", "specialised"),
}
"""Catalogues that gpuhunt collects itself: our name of the seller, and what kind of seller it is."""
LOCATIONS_ARE_ZONES = {"gcp"}

MAX_CSV_BYTES = 200_000_000
MAX_RATIO = 200
"""A member that unpacks to more than this multiple is no price list; real catalogues shrink to a tenth or so."""

_ROOT = "https://dstack-gpu-pricing.s3.eu-west-1.amazonaws.com/v3"
_PREFIX = "gpuhunt_"

SOURCES = tuple(
    Source(
        name=f"{_PREFIX}{name}",
        title=f"gpuhunt catalogue, {name}",
        homepage="https://github.com/dstackai/gpuhunt",
        licence="MPL-2.0 (gpuhunt); none stated for the catalogue",
        live=(HttpVersioned(f"{_ROOT}/{name}/version", f"{_ROOT}/{name}/{{version}}/catalog.zip"),),
    )
    for name in PROVIDER
)


@refuses_in_words
def parse_offers(snapshot: Snapshot) -> Parsed:
    """Read one cloud's catalogue into offers (contract `RawGpuOffer`) and rows refused (contract `Rejected`).

    Raises ValueError where the zip is unsafe or has no such CSV, a needed column is missing, or the source is none of ours.
    """
    name = snapshot.source.removeprefix(_PREFIX)
    if name not in PROVIDER:
        raise ValueError(f"{snapshot.source!r} is no gpuhunt source")
    rows = read_table(
        unzip_csv(snapshot.body, f"{name}.csv"),
        texts=["instance_name", "location", "gpu_name", "spot"],
        numbers=["price", "gpu_count", "gpu_memory"],
        optional=["flags", "provider_data"],
    ).with_columns(spot=pl.col("spot").str.to_lowercase() == "true")

    has_gpu = (pl.col("gpu_count") > 0) & pl.col("gpu_name").is_not_null()
    without_gpu = rows.filter(~has_gpu.fill_null(False))
    priced = rows.filter(has_gpu & pl.col("price").is_not_null())
    repeated, kept = _split_repeated_spot(priced)
    parsed = finish(_draft(kept, name), snapshot)
    refused = [
        count_out_of_scope(without_gpu, snapshot.source, "no_gpu", "the instance has no GPU"),
        count_out_of_scope(repeated, snapshot.source, "not_a_spot_price", "the on-demand price repeated as spot price"),
        parsed.rejected,
    ]
    return Parsed(parsed.accepted, pl.concat(refused))


def unzip_csv(body: bytes, member: str) -> bytes:
    """Read one file of a zip. Raises ValueError for another name, a path that leaves the archive, or a zip bomb."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for info in archive.infolist():
                path = PurePosixPath(info.filename.replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts or ":" in info.filename:
                    raise ValueError(f"zip holds the unsafe path {info.filename!r}")
            found = [info for info in archive.infolist() if info.filename == member]
            if len(found) != 1:
                raise ValueError(f"zip holds {len(found)} files called {member!r}, not one")
            if found[0].file_size > MAX_CSV_BYTES or found[0].file_size > MAX_RATIO * max(found[0].compress_size, 1):
                raise ValueError(f"{member!r} unpacks to {found[0].file_size} bytes: refused")
            with archive.open(found[0]) as stream:
                text = stream.read(MAX_CSV_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise ValueError(f"not a readable zip: {error}") from error
    if len(text) > MAX_CSV_BYTES:
        raise ValueError(f"{member!r} is larger than {MAX_CSV_BYTES} bytes")
    return text


def _split_repeated_spot(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part spot rows that the provider bills at its on-demand price (a flag of Nebius) from all others."""
    is_flat = pl.Series([_fact(text, "is_preemptible_flat_rate") for text in rows["provider_data"]], dtype=pl.Boolean)
    is_repeated = is_flat & rows["spot"]
    return rows.filter(is_repeated), rows.filter(~is_repeated)


def _draft(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    provider, kind = PROVIDER[name]
    flags = pl.col("flags").fill_null("").str.split(" ")
    is_booked = pl.Series("is_booked", [_fact(text, "is_dws_calendar_mode") for text in rows["provider_data"]], pl.Boolean)
    is_cluster = flags.list.contains("runpod-cluster")
    is_half_price = flags.list.contains("oci-spot")
    region = pl.col("location").str.replace(r"-[a-z0-9]+$", "") if name in LOCATIONS_ARE_ZONES else pl.col("location")
    product = pl.when(is_cluster).then(pl.format("{} (cluster)", "instance_name")).otherwise("instance_name")
    return (
        rows.with_columns(is_booked)
        .select(
            provider=pl.lit(provider),
            provider_kind=pl.lit(kind),
            instance_type=product,
            instance_hint="instance_name",
            source_gpu="gpu_name",
            gpu_count="gpu_count",
            gpu_memory_gb=pl.when(pl.col("gpu_memory") > 0).then("gpu_memory"),
            term=pl.when("is_booked")
            .then(pl.lit("reserved_calendar"))
            .when("spot")
            .then(pl.lit("spot"))
            .otherwise(pl.lit("on_demand")),
            region=region,
            usd_per_instance_hour="price",
            price_basis=pl.lit("per_instance"),
            basis=pl.when(is_half_price).then(pl.lit("derived")).otherwise(pl.lit("catalogue")),
            valid_from=pl.lit(None, pl.Date),
            valid_to=pl.lit(None, pl.Date),
            date_basis=pl.lit(None, pl.String),
            note=pl.when(is_half_price)
            .then(pl.lit("half the on-demand price by the seller's rule, computed by the catalogue"))
            .when(is_cluster)
            .then(pl.lit("part of a cluster of at least two instances")),
        )
        .select(*DRAFT)
    )


def _fact(provider_data: str | None, key: str) -> bool:
    try:
        facts = json.loads(provider_data or "{}")
    except ValueError:
        return False
    return isinstance(facts, dict) and facts.get(key) is True

"""From a catalogue's rows to offers: read them, name the GPU, price it per GPU and hour, refuse what is no such price."""

import io

import polars as pl

from schemas.base import polars_schema
from schemas.prices.gpu_rents import CEILING_USD_PER_GPU_HOUR, FLOOR_USD_PER_GPU_HOUR, SAME, SERIES, RawGpuOffer
from schemas.quarantine import Parsed, Rejected, reject
from sources.prices.gpu_names import is_not_a_gpu, resolve
from sources.source import Snapshot

UNIT_SLIP = 20.0
"""A price this many times the median of its GPU and term is more often in another unit than true."""
ENOUGH = 3
"""Offers from which a median is worth comparing with."""

DRAFT = {
    "provider": pl.String,
    "provider_kind": pl.String,
    "instance_type": pl.String,
    "instance_hint": pl.String,
    "source_gpu": pl.String,
    "gpu_count": pl.Float64,
    "gpu_memory_gb": pl.Float64,
    "term": pl.String,
    "region": pl.String,
    "usd_per_instance_hour": pl.Float64,
    "price_basis": pl.String,
    "basis": pl.String,
    "valid_from": pl.Date,
    "valid_to": pl.Date,
    "date_basis": pl.String,
    "note": pl.String,
}
"""Columns a parser hands in: one row per price; `instance_hint` is text that may say the form factor."""

_SERIES_IN_DOCUMENT = [name for name in SERIES if name not in ("source", "statistic")] + ["valid_from"]
_COUNT = pl.format("{} GPUs", pl.col("gpu_count").round(3))
_ROW_KEY = pl.concat_str("instance_type", _COUNT, "region", "term", separator=" | ", ignore_nulls=True)


def read_table(body: bytes, *, texts: list[str], numbers: list[str], optional: list[str]) -> pl.DataFrame:
    """Read a CSV's columns by name; order does not matter, further columns are left out, empty cells are NULL.

    Raises ValueError where a column of `texts` or `numbers` is missing or a number is none.
    """
    try:
        rows = pl.read_csv(io.BytesIO(body), infer_schema=False)
        missing = [name for name in (*texts, *numbers) if name not in rows.columns]
        if missing:
            raise ValueError(f"catalogue lacks the columns {', '.join(missing)}")
        absent = [pl.lit(None, pl.String).alias(name) for name in optional if name not in rows.columns]
        filled = rows.with_columns(*absent).select(pl.col(*texts, *optional, *numbers).replace("", None))
        return filled.with_columns(pl.col(numbers).cast(pl.Float64))
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"catalogue cannot be read: {error}") from error


def finish(draft: pl.DataFrame, snapshot: Snapshot) -> Parsed:
    """Turn drafted prices into offers of the contract `RawGpuOffer`.

    `draft`: columns of `DRAFT`; prices in USD per instance and hour, counts may be fractions. Returns the offers and the rows
    refused. Where a region has several prices for one offer (zones, hosts) the lowest stays and the note says so.
    """
    source = snapshot.source
    refused: list[pl.DataFrame] = []

    other = pl.Series([is_not_a_gpu(name) for name in draft["source_gpu"]], dtype=pl.Boolean)
    refused.append(count_out_of_scope(draft.filter(other), source, "not_a_gpu", "a TPU or another accelerator, not a GPU"))
    named = add_gpu(draft.filter(~other))

    is_slice = pl.col("gpu_is_fraction") | (pl.col("gpu_count") % 1 != 0)
    reason = "a slice of a GPU; its price is not that of a GPU"
    refused.append(count_out_of_scope(named.filter(is_slice), source, "fractional_gpu", reason))
    whole = named.filter(~is_slice).with_columns(usd_per_gpu_hour=pl.col("usd_per_instance_hour") / pl.col("gpu_count"))

    is_zero = pl.col("usd_per_instance_hour") <= 0
    reason = "a price of zero or less means that the figure is not known"
    refused.append(_refuse(whole.filter(is_zero), source, "zero_price", reason, "invalid", "usd_per_instance_hour"))
    priced = whole.filter(~is_zero)

    per_gpu = pl.col("usd_per_gpu_hour")
    in_range = (per_gpu > FLOOR_USD_PER_GPU_HOUR) & (per_gpu < CEILING_USD_PER_GPU_HOUR)
    reason = f"no GPU is offered outside {FLOOR_USD_PER_GPU_HOUR} to {CEILING_USD_PER_GPU_HOUR:.0f} USD per hour"
    refused.append(_refuse(priced.filter(~in_range), source, "price_out_of_range", reason, "invalid"))

    scaled, unscaled = _split_unscaled(priced.filter(in_range))
    reason = "an instance with fewer of the same GPU costs the same: the price is per GPU, or the count is wrong"
    refused.append(_refuse(unscaled, source, "not_scaled_by_count", reason, "suspect"))

    believed, slipped = _split_unit_slips(scaled)
    reason = f"{UNIT_SLIP:.0f} times the median price of this GPU and term in the document or more, or a 20th of it"
    refused.append(_refuse(slipped, source, "price_20x_off_median", reason, "suspect"))

    offers, dearer = _lowest_per_region(believed)
    reason = "the same offer has a lower price in another zone or host of the region"
    refused.append(count_out_of_scope(dearer, source, "dearer_in_region", reason))
    return Parsed(_as_contract(offers, snapshot), pl.concat(refused))


def add_gpu(offers: pl.DataFrame) -> pl.DataFrame:
    """Add `gpu_family`, `gpu`, `form_factor` and `gpu_is_fraction` to offers.

    Reads `source_gpu`, `instance_hint` (nullable text) and `gpu_memory_gb` (nullable, GB).
    """
    asked = ["source_gpu", "instance_hint", "gpu_memory_gb"]
    distinct = offers.select(asked).unique(maintain_order=True)
    answers = [resolve(*row) for row in distinct.iter_rows()]
    named = distinct.with_columns(
        pl.Series("gpu_family", [answer.family for answer in answers], pl.String),
        pl.Series("gpu", [answer.gpu for answer in answers], pl.String),
        pl.Series("form_factor", [answer.form_factor for answer in answers], pl.String),
        pl.Series("gpu_is_fraction", [answer.is_fraction for answer in answers], pl.Boolean),
    )
    return offers.join(named, on=asked, how="left", nulls_equal=True, maintain_order="left")


def count_out_of_scope(
    rows: pl.DataFrame, source: str, rule: str, reason: str, row_key: str = "all rows of this kind"
) -> pl.DataFrame:
    """One entry of the contract `Rejected` for all rows of a document that a rule leaves out; none for no rows."""
    entry = {
        "source": source,
        "row_key": row_key,
        "column_name": None,
        "value": None,
        "rule": rule,
        "reason": reason,
        "severity": "out_of_scope",
        "n_rows": rows.height,
    }
    return pl.DataFrame([entry] if rows.height else [], schema=polars_schema(Rejected), orient="row")


def _refuse(
    rows: pl.DataFrame, source: str, rule: str, reason: str, severity: str, column: str = "usd_per_gpu_hour"
) -> pl.DataFrame:
    return reject(
        rows,
        source=source,
        row_key=_ROW_KEY,
        column_name=column,
        value=pl.col(column),
        rule=rule,
        reason=reason,
        severity=severity,
    )


def _split_unscaled(offers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part instances that cost no more than one with fewer GPUs of the same name, region and term."""
    same_offer = ["provider", "source_gpu", "gpu_memory_gb", "region", "term", "usd_per_instance_hour"]
    is_unscaled = pl.col("gpu_count") > pl.col("gpu_count").min().over(same_offer)
    return offers.filter(~is_unscaled), offers.filter(is_unscaled)


def _split_unit_slips(offers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    kind = ["source_gpu", "term"]
    median = pl.col("usd_per_gpu_hour").median().over(kind)
    ratio = pl.max_horizontal(pl.col("usd_per_gpu_hour") / median, median / pl.col("usd_per_gpu_hour"))
    is_slip = (ratio >= UNIT_SLIP) & (pl.len().over(kind) >= ENOUGH)
    return offers.filter(~is_slip), offers.filter(is_slip)


def _lowest_per_region(offers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep the lowest price of each offer and region; equal prices are one, dearer ones are handed back."""
    price = pl.col("usd_per_instance_hour")
    lowest = price.min().over(_SERIES_IN_DOCUMENT)
    highest = price.max().over(_SERIES_IN_DOCUMENT)
    spread_note = pl.format("lowest price in the region; the highest is {} per instance-hour", highest)
    has_spread = highest > lowest * (1 + SAME)
    marked = offers.with_columns(
        is_dearer=price > lowest * (1 + SAME),
        note=pl.when(has_spread).then(pl.concat_str("note", spread_note, separator="; ", ignore_nulls=True)).otherwise("note"),
    )
    kept = marked.filter(~pl.col("is_dearer")).unique(_SERIES_IN_DOCUMENT, keep="first", maintain_order=True)
    return kept, marked.filter("is_dearer")


def _as_contract(offers: pl.DataFrame, snapshot: Snapshot) -> pl.DataFrame:
    complete = offers.with_columns(
        statistic=pl.lit("price"),
        locator=pl.lit(snapshot.uri),
        source=pl.lit(snapshot.source),
        seen_on=pl.lit(snapshot.seen_on),
        evidence_on=pl.lit(snapshot.evidence_on),
        document_sha256=pl.lit(snapshot.sha256),
    )
    return complete.select(pl.col(name).cast(dtype) for name, dtype in polars_schema(RawGpuOffer).items())

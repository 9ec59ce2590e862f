"""Sellers at the router in one spelling: it writes one in two ways, with regions and account numbers behind."""

from functools import cache

import polars as pl

from sources.document import SEEDS

_SUFFIX = r" \((?:\d+|[A-Z]{2,3}|Global|Europe|ZDR|BYOK Only|[A-Z]{2,3} ZDR)\)$"
"""An account's number, a region or a condition behind the name; the seller is the same."""


@cache
def _spellings() -> dict[str, str]:
    rows = pl.read_csv(SEEDS / "router_seller.csv", infer_schema=False)
    return dict(zip(rows["source_provider"], rows["provider"], strict=True))


def with_seller(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `provider`, one spelling of `source_provider`: by `seeds/router_seller.csv`, else in small letters."""
    bare = pl.col("source_provider").str.replace(_SUFFIX, "")
    plain = bare.str.to_lowercase().str.replace_all(r"[ .]+", "-")
    return rows.with_columns(provider=bare.replace_strict(_spellings(), default=plain, return_dtype=pl.String))

"""Contracts of where everything came from: documents fetched, refreshes run, sources known."""

import polars as pl

from schemas.base import Table, Timestamp, column


class SnapshotLog(Table):
    """Every document a source ever served, by content hash, with how and when it was had."""

    source: str = column("source of the document")
    sha256: str = column("hash of the document; names the stored body under bronze/<source>/")
    transport: str = column("how the bytes came: http, registry, installed, seed")
    uri: str = column("address the bytes came from")
    outcome: str = column("new: parsed and used; unreadable: kept, never used")
    fetched_at: Timestamp = column("when these bytes first arrived")
    last_checked_at: Timestamp = column("latest time the source was seen to serve these bytes")
    published_at: Timestamp = column("when the publisher says it made them", nullable=True)
    etag: str = column("HTTP entity tag", nullable=True)
    last_modified: str = column("HTTP Last-Modified header", nullable=True)
    package_version: str = column("version of the package the bytes were read from", nullable=True)
    bytes: pl.Int64 = column("size of the document", unit="bytes", ge=0)
    error: str = column("why the document could not be read", nullable=True)

    class Config:
        name = "meta.snapshot"
        unique = ["source", "sha256", "outcome"]


class Refresh(Table):
    """What each refresh did to each table: one row per run and asset."""

    run_id: str = column("Dagster run")
    started_at: Timestamp = column("when the run began")
    asset: str = column("table or source document, such as core.llm_price or source.litellm")
    outcome: str = column("written, or failed (its last good version stays)", isin=("written", "failed"))
    rows: pl.Int64 = column("rows in the table after the step", unit="rows", nullable=True, ge=0)
    rejected_rows: pl.Int64 = column("rows quarantined by the step", unit="rows", nullable=True, ge=0)
    seconds: float = column("wall time of the step", unit="s", nullable=True, ge=0)
    served_from: str = column("where a source's bytes came from: http, registry, bronze, installed, seed", nullable=True)
    warnings: str = column("failed or warning checks, in words", nullable=True)

    class Config:
        name = "meta.refresh"
        unique = ["run_id", "asset"]

"""Claims of papers, notes and definitions: one CSV, one row per claim with its place and the rule that would bear it out."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from schemas.base import empty, polars_schema
from schemas.claims import Claim
from schemas.quarantine import Parsed, Rejected
from sources.source import Seed, Snapshot, Source, refuses_in_words

PUBLISHED = Path(__file__).parent / "published"

SOURCE = Source(
    name="published_claims",
    title="Claims of papers, notes and definitions on the economics of inference",
    homepage="https://ifitsmanu.com/topics/inference-economics/",
    licence="facts, each with its citation, in our own words",
    live=(),
    floor=(Seed(PUBLISHED / "claims.csv", as_of=datetime(2026, 11, 23, tzinfo=UTC)),),
    fresh_for=timedelta(days=36_500),  # what was claimed stays claimed
)


@refuses_in_words
def parse_claims(snapshot: Snapshot) -> Parsed:
    """Read the claims (contract `Claim`). Nothing is refused here: the contract judges each row."""
    rows = pl.read_csv(io.BytesIO(snapshot.body), infer_schema=False).with_columns(source=pl.lit(snapshot.source))
    return Parsed(rows.select(pl.col(name).cast(kind) for name, kind in polars_schema(Claim).items()), empty(Rejected))

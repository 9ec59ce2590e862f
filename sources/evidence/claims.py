"""Claims of papers, notes and definitions: one CSV, one row per claim with its place and the rule that would bear it out."""

from datetime import UTC, datetime, timedelta

from schemas.evidence.claims import Claim
from schemas.quarantine import Parsed
from sources.evidence.published_figures import PUBLISHED, typed
from sources.source import Seed, Snapshot, Source, refuses_in_words

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
    return typed(snapshot, Claim)

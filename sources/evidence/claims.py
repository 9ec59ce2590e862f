"""Claims of papers, notes and definitions: one CSV, one row per claim with its place and the rule that would bear it out."""

from schemas.evidence.claims import Claim
from schemas.quarantine import Parsed
from sources.document import TRANSCRIBED, document
from sources.evidence.published_figures import typed
from sources.source import Snapshot, refuses_in_words

SOURCE = document(TRANSCRIBED / "claims.csv", name="published_claims")


@refuses_in_words
def parse_claims(snapshot: Snapshot) -> Parsed:
    """Read the claims (contract `Claim`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, Claim)

"""Documents as assets: what a document was accepted on is what its table is built from."""

from pathlib import Path

import dagster as dg

from assets.documents import parse_all, source_asset
from pipelines.resources import resources
from schemas.claims import Claim
from schemas.quarantine import Parsed
from sources import bronze
from sources.claims import parse_claims
from sources.source import Snapshot


def test_a_document_is_parsed_once_where_its_table_follows_in_the_same_process(tmp_path: Path) -> None:
    parsed: list[str] = []

    def counted(snapshot: Snapshot) -> Parsed:
        parsed.append(snapshot.sha256)
        return parse_claims(snapshot)

    def first_alone(snapshot: Snapshot) -> Parsed:
        rows, rejected = counted(snapshot)
        return Parsed(rows.head(1), rejected)

    asset = source_asset("published_claims", accept=counted, group="claims")
    given = resources(tmp_path, offline=True)
    assert dg.materialize([asset], resources=given, instance=dg.DagsterInstance.ephemeral()).success
    (document,) = bronze.pointed(tmp_path / "bronze", "published_claims")

    assert parse_all([document], first_alone, Claim).accepted.height == 1  # another parser has rows of its own
    assert parsed == [document.sha256] * 2
    handed_on = parse_all([document], counted, Claim)
    assert parsed == [document.sha256] * 2
    parsed_again = parse_all([document], counted, Claim)
    assert parsed == [document.sha256] * 3
    assert handed_on.accepted.equals(parsed_again.accepted)

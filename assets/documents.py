"""Source documents as assets: fetched down the ladder, kept in bronze, handed on as snapshots.

One asset per publisher; a publisher with several documents (one per cloud, say) is one asset whose documents fail alone.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from schemas.base import Table, empty
from schemas.quarantine import Parsed, Rejected
from schemas.registry import room_of
from sources.publishers import CATALOGUE
from sources.source import Snapshot, Source
from sources.transports import bronze
from sources.transports.http import Policy
from sources.transports.ladder import Loaded, load
from warehouse.resources import DataFolder, run_time
from warehouse.table import GROUP_TAG, OWNER

FRESH_CHECK = "fresh"
READERS: dict[str, Callable[[Snapshot], Parsed]] = {}
"""The parser by which a document of each publisher counts; filled as the source assets are defined."""


def source_key(name: str) -> dg.AssetKey:
    """Dagster key of a source asset: `litellm` is `source/litellm`."""
    return dg.AssetKey(["source", name])


class StoredDocuments(dg.ConfigurableIOManager):
    """Hands snapshots from step to step by content hash; the bodies stay in bronze and are never copied."""

    folder: str

    def handle_output(self, context: dg.OutputContext, obj: list[Snapshot]) -> None:
        """Write down which stored bodies the asset stands for."""
        bronze.point(Path(self.folder), context.asset_key.path[-1], obj)

    def load_input(self, context: dg.InputContext) -> list[Snapshot]:
        """The snapshots with their bodies."""
        return bronze.pointed(Path(self.folder), context.asset_key.path[-1])


def source_asset(name: str, *, accept: Callable[[Snapshot], Parsed], group: str) -> dg.AssetsDefinition:
    """Make the asset of one publisher. A document counts only if `accept` can parse it; else the next transport is tried."""
    sources = CATALOGUE[name]
    key = source_key(name)
    READERS[name] = accept

    @dg.asset(
        key=key,
        group_name=room_of(getattr(accept, "func", accept).__module__),
        tags={GROUP_TAG: group},
        owners=[OWNER],
        kinds={"http"},
        description=f"{sources[0].title} ({sources[0].homepage}). Licence: {sources[0].licence}.",
        check_specs=[
            dg.AssetCheckSpec(FRESH_CHECK, asset=key, description="the documents are as young as the source promises")
        ],
        freshness_policy=_policy(sources),
        io_manager_key="documents",
    )
    def fetch(context: dg.AssetExecutionContext, data: dg.ResourceParam[DataFolder]) -> Iterator[Any]:
        settings = data.settings
        now = run_time(context)
        loaded = [
            load(
                source,
                accept,
                bronze_root=data.bronze,
                policy=Policy(contact=settings.contact, private_hosts=settings.private_hosts),
                offline=data.offline or not settings.asks(name, source.name, opt_in=source.opt_in),
                now=now,
                urls=settings.urls,
            )
            for source in sources
        ]
        for outcome in loaded:
            for line in outcome.problems:
                context.log.warning(line)
        yield _freshness(sources, loaded)
        yield dg.Output(
            [outcome.snapshot for outcome in loaded if outcome.snapshot is not None],
            metadata={
                "served_from": ", ".join(sorted({outcome.served_from for outcome in loaded})),
                "documents": dg.MetadataValue.md(_summary(sources, loaded)),
            },
        )

    return fetch


def parse_all(snapshots: Sequence[Snapshot], parse: Callable[[Snapshot], Parsed], schema: type[Table]) -> Parsed:
    """Parse every document of a source and put the rows together; no document gives no rows of the contract `schema`."""
    parsed = [Parsed(empty(schema), empty(Rejected)), *(parse(snapshot) for snapshot in snapshots)]
    return Parsed(pl.concat([part.accepted for part in parsed]), pl.concat([part.rejected for part in parsed]))


def _policy(sources: Sequence[Source]) -> dg.FreshnessPolicy | None:
    """When Dagster calls the asset overdue: not asked for as long as its documents stay fresh. A seed is never overdue.

    Whether the documents themselves are young is the check `fresh`.
    """
    windows = [source.fresh_for for source in sources if source.live]
    return dg.FreshnessPolicy.time_window(fail_window=max(windows)) if windows else None


def _freshness(sources: Sequence[Source], loaded: Sequence[Loaded]) -> dg.AssetCheckResult:
    """One short phrase on what is too old or was never seen; each document's age stands in the table beside it."""
    ages = [
        outcome.age
        for source, outcome in zip(sources, loaded, strict=True)
        if outcome.age is not None and outcome.age > source.fresh_for
    ]
    silent = sum(outcome.snapshot is None and not source.opt_in for source, outcome in zip(sources, loaded, strict=True))
    some = "" if len(sources) == 1 else f"{len(ages)} of {len(sources)} documents up to "
    trouble = [f"{some}{_words(max(ages))} old"] if ages else []
    trouble += [f"{silent} of {len(sources)} documents never seen"] if silent else []
    return dg.AssetCheckResult(
        passed=not trouble,
        check_name=FRESH_CHECK,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(trouble) or None,
    )


def _words(age: timedelta) -> str:
    return f"{age.days} days" if age.days else f"{age.seconds // 3600} hours"


def _summary(sources: Sequence[Source], loaded: Sequence[Loaded]) -> str:
    lines = ["| document | served from | age | bytes | sha256 |", "|---|---|---|---|---|"]
    for source, outcome in zip(sources, loaded, strict=True):
        snapshot = outcome.snapshot
        size, digest = (f"{len(snapshot.body):,}", snapshot.sha256[:12]) if snapshot else ("", "")
        age = _words(outcome.age) if outcome.age is not None else "unknown"
        lines.append(f"| {source.name} | {outcome.served_from} | {age} | {size} | {digest} |")
    return "\n".join(lines)

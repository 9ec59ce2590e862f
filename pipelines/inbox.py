"""The inbox: a benchmark file dropped into `<data folder>/inbox` is in the warehouse after the run that this sensor asks for.

Each tick takes in what lies there, moves it to `inbox/accepted` or, beside a text with the reason, to `inbox/rejected`, and
asks for one run for all that was accepted. Files in folders are left alone: folders are for `iecon ingest`. A `NAME.meta.yaml`
must lie there before, or together with, its file. With an empty inbox a tick costs nothing, so the sensor is on by default.
"""

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from pipelines import jobs
from sources.serving.user_files import META_ENDING, TakenIn, meta_beside, take_in
from sources.source import content_hash
from warehouse.resources import DataFolder

SETTLED_S = 5.0
"""A file written to within this time may still grow, and waits."""
BUDGET_S = 30.0
"""After this time a tick stops taking in files; Dagster ends one that takes a minute. The others come with the next tick."""
LONGEST_KEY = 200


def settled_files(inbox: Path, *, now: datetime) -> list[Path]:
    """Files at the top of the inbox that nobody has written to, nor to their metadata, for `SETTLED_S`, oldest first."""
    found = []
    for path in inbox.iterdir():
        if path.name.startswith(".") or path.name.endswith(META_ENDING) or not path.is_file():
            continue
        written = max(part.stat().st_mtime for part in (path, meta_beside(path)) if part.exists())
        if now.timestamp() - written >= SETTLED_S:
            found.append((written, path))
    return [path for _, path in sorted(found)]


def empty_inbox(inbox: Path, *, bronze_root: Path, now: datetime) -> list[TakenIn]:
    """Take in the settled files of an inbox and move each away. Returns what came of them.

    A file that changed while it was read stays for the next time. Raises OSError where the inbox or the store cannot be
    written.
    """
    for folder in ("accepted", "rejected"):
        (inbox / folder).mkdir(parents=True, exist_ok=True)
    before = {path: _stamp(path) for path in settled_files(inbox, now=now)}
    started, results = time.monotonic(), []
    for result in take_in(before, bronze_root=bronze_root, said={}, now=now):
        if result.path.exists() and _stamp(result.path) == before[result.path]:
            _move(result, inbox / ("accepted" if result.is_accepted else "rejected"))
            results.append(result)
        if time.monotonic() - started > BUDGET_S:
            break
    return results


def run_key(accepted: Sequence[TakenIn]) -> str:
    """Key of the run for these files: name, SHA-256 and SHA-256 of the metadata of each; of many, the hash of that text."""
    text = "\n".join(sorted(f"{each.path.name} {each.sha256} {each.meta_sha256 or ''}".rstrip() for each in accepted))
    return text if len(text) <= LONGEST_KEY else hashlib.sha256(text.encode()).hexdigest()


@dg.sensor(
    name="inbox",
    job=jobs.by_group["benchmark_outputs"],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Take in benchmark files dropped into the inbox of the data folder.",
)
def inbox(context: dg.SensorEvaluationContext, data: dg.ResourceParam[DataFolder]) -> dg.RunRequest | dg.SkipReason:
    """Request one run, without network, for all files that this tick accepted."""
    results = empty_inbox(data.path / "inbox", bronze_root=data.bronze, now=datetime.now(UTC))
    for result in results:
        verdict = f"accepted, {result.rows} rows" if result.is_accepted else f"rejected: {result.refusal}"
        context.log.info(f"{result.path.name}: {verdict}")
    accepted = [result for result in results if result.is_accepted]
    if not accepted:
        return dg.SkipReason(f"{len(results)} files rejected" if results else "no settled file in the inbox")
    return dg.RunRequest(
        run_key=run_key(accepted),
        run_config={"resources": {"data": {"config": {"root": data.root, "offline": True}}}},
        tags={"iecon/inbox": f"{len(accepted)} files"},
    )


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _move(result: TakenIn, folder: Path) -> None:
    """Move a file and its metadata; one of the same name but other content is not overwritten."""
    path, target = result.path, folder / result.path.name
    if target.exists() and content_hash(target.read_bytes()) != result.sha256:
        target = folder / f"{path.stem}-{(result.sha256 or 'unread')[:8]}{path.suffix}"
    if not result.is_accepted:
        target.with_name(f"{target.name}.reason.txt").write_text(f"{result.refusal}\n")
    if meta_beside(path).exists():
        meta_beside(path).replace(meta_beside(target))
    path.replace(target)

"""The inbox: a benchmark file dropped into `<data folder>/inbox` is in the warehouse after the run that this sensor asks for.

Each tick takes in what lies there, moves it to `inbox/accepted` or, beside a text with the reason, to `inbox/rejected`, and
asks for one run for all that was accepted. Files in folders are left alone: folders are for `iecon ingest`. A `NAME.meta.yaml`
must lie there before, or together with, its file. With an empty inbox a tick costs nothing, so the sensor is on by default.
"""

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from pipelines import jobs
from schemas.foreign_text import plain
from sources.regular_file import is_folder, read_regular, shown_name
from sources.serving.user_files import META_ENDING, TakenIn, meta_beside, take_in
from sources.source import content_hash
from warehouse.resources import DataFolder

SETTLED_S = 5.0
"""A file written to within this time may still grow, and waits."""
BUDGET_S = 30.0
"""After this time a tick stops taking in files; Dagster ends one that takes a minute. The others come with the next tick."""
LONGEST_KEY = 200
LONGEST_NAME = 255
"""Bytes of a file's name, on about every file system."""
REASON = ".reason.txt"


def settled_files(inbox: Path, *, now: datetime) -> list[Path]:
    """Files at the top of the inbox that nobody has written to, nor to their metadata, for `SETTLED_S`, oldest first.

    Also what is no regular file, so that it is refused and does not lie there for ever.
    """
    found = []
    for path in inbox.iterdir():
        if path.name.startswith(".") or path.name.endswith(META_ENDING) or (is_folder(path) and not path.is_symlink()):
            continue
        written = max(stamp[1] for part in (path, meta_beside(path)) if (stamp := _stamp(part)))
        if now.timestamp() - written / 1e9 >= SETTLED_S:
            found.append((written, path))
    return [path for _, path in sorted(found)]


def empty_inbox(inbox: Path, *, bronze_root: Path, now: datetime) -> list[TakenIn]:
    """Take in the settled files of an inbox and move each away. Returns what came of them.

    A file that changed while it was read stays for the next time, and so does one that cannot be moved. Raises OSError where
    the inbox or the store cannot be written.
    """
    for folder in ("accepted", "rejected"):
        (inbox / folder).mkdir(parents=True, exist_ok=True)
    before = {path: _stamp(path) for path in settled_files(inbox, now=now)}
    started, results = time.monotonic(), []
    for result in take_in(before, bronze_root=bronze_root, said={}, now=now):
        if (stamp := _stamp(result.path)) and stamp == before[result.path]:
            try:
                _move(result, inbox / ("accepted" if result.is_accepted else "rejected"))
            except OSError as error:  # of this file: the others go on
                result = replace(result, refusal=f"{result.refusal or 'taken in'}; it could not be moved ({error.strerror})")  # noqa: PLW2901
            results.append(result)
        if time.monotonic() - started > BUDGET_S:
            break
    return results


def run_key(accepted: Sequence[TakenIn]) -> str:
    """Key of the run for these files: name, SHA-256 and SHA-256 of the metadata of each; of many, the hash of that text."""
    text = "\n".join(sorted(f"{shown_name(each.path)} {each.sha256} {each.meta_sha256 or ''}".rstrip() for each in accepted))
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
        context.log.info(plain(f"{shown_name(result.path)}: {verdict}"))
    accepted = [result for result in results if result.is_accepted]
    if not accepted:
        return dg.SkipReason(f"{len(results)} files rejected" if results else "no settled file in the inbox")
    return dg.RunRequest(
        run_key=run_key(accepted),
        run_config={"resources": {"data": {"config": {"root": data.root, "offline": True}}}},
        tags={"iecon/inbox": f"{len(accepted)} files"},
    )


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of the last write of a file, or of a link; None where there is none of this name."""
    try:
        stat = path.lstat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _move(result: TakenIn, folder: Path) -> None:
    """Move a file and its metadata; one of the same name but other content is not overwritten."""
    path = result.path
    target = _free(folder, path, result.sha256)
    if not result.is_accepted:
        target.with_name(f"{target.name}{REASON}").write_text(f"{plain(result.refusal or '')}\n", encoding="utf-8")
    if os.path.lexists(meta_beside(path)):
        meta_beside(path).replace(meta_beside(target))
    path.replace(target)


def _free(folder: Path, path: Path, sha256: str | None) -> Path:
    """Where a file goes: under its own name, shortened where its reason would have too long a one."""
    mark = (sha256 or hashlib.sha256(os.fsencode(path.name)).hexdigest())[:8]
    room = LONGEST_NAME - len(REASON) - len(META_ENDING)
    is_long = len(os.fsencode(path.name)) > room
    target = folder / (f"{mark}{path.suffix[:20]}" if is_long else path.name)
    if not os.path.lexists(target):
        return target
    try:
        is_same = content_hash(read_regular(target)) == sha256
    except ValueError:
        is_same = False
    return target if is_same else folder / (f"{mark}-2{path.suffix[:20]}" if is_long else f"{path.stem}-{mark}{path.suffix}")

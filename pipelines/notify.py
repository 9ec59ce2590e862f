"""Who is told when a refresh fails: a line in `<data folder>/failures.jsonl`, and a webhook where one is set.

The webhook's address often is a secret. It comes from `ECONOMICS_WEBHOOK`, else from `webhook` in config.yaml, and only its
host is ever shown.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import httpx2
import msgspec

from warehouse.resources import read_settings

WEBHOOK_VARIABLE = "ECONOMICS_WEBHOOK"
FAILURES = "failures.jsonl"
TIMEOUT_S = 10.0


class Failure(msgspec.Struct, frozen=True):
    """One failed run: `text` is the whole message in one line, as chat webhooks expect it under that name."""

    text: str
    at: datetime
    job: str
    run_id: str | None
    problems: tuple[str, ...]


def tell(root: Path, *, at: datetime, job: str, run_id: str | None, problems: Sequence[str]) -> list[str]:
    """Write a failed run down and post it. Returns a line for each way that did not work; raises nothing."""
    failure = Failure(f"iecon: {job} failed: {'; '.join(problems)}", at, job, run_id, tuple(problems))
    trouble = []
    try:
        with (root / FAILURES).open("ab") as file:
            file.write(msgspec.json.encode(failure) + b"\n")
    except OSError as error:
        trouble.append(f"the failure could not be written down ({error.strerror})")
    try:
        url = os.environ.get(WEBHOOK_VARIABLE) or read_settings(root / "config.yaml").webhook
    except ValueError as error:
        return [*trouble, str(error)]
    if url and (refusal := _post(url, failure)):
        trouble.append(f"the webhook could not be told: {refusal}")
    return trouble


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


def _post(url: str, failure: Failure) -> str | None:
    """Post a failure as JSON, following no redirect. Returns what went wrong, without the address."""
    try:
        host = httpx2.URL(url).host
        if not url.startswith(("http://", "https://")) or not host:
            return "its address is not http or https"
        answer = httpx2.post(
            url, content=msgspec.json.encode(failure), headers={"Content-Type": "application/json"}, timeout=TIMEOUT_S
        )
    except httpx2.InvalidURL:
        return "its address is not valid"
    except httpx2.HTTPError as error:
        return f"{host} did not answer ({type(error).__name__})"
    return None if answer.is_success else f"{host} answered {answer.status_code}"

"""JSON from outside, before a parser builds anything of it: how much it would unfold to, and keys that stand twice."""

import json
from typing import Any

MOST_VALUES = 12_000_000
"""Each value takes some sixty to a hundred bytes once it is built, however short its text: these take a gigabyte."""
SEARCHED_BYTES = 32_000_000
"""Longer documents are not searched for doubled keys: that builds them once more."""


class DoubledKeyError(ValueError):
    """An object has two values under one key, of which readers take one and drop the other."""


def check_json(body: bytes) -> None:
    """Look a document over. Raises ValueError for one that would unfold too far, DoubledKeyError for a doubled key.

    What is no JSON passes: the parser says so in its own words.
    """
    if body[:64].lstrip()[:1] not in (b"{", b"["):
        return
    most = body.count(b",") + body.count(b"[") + body.count(b"{")  # no more values than this, and fewer where texts hold signs
    if most > MOST_VALUES:
        raise ValueError(f"holds up to {most:,} values, and at most {MOST_VALUES:,} are read")
    if len(body) <= SEARCHED_BYTES:
        try:
            json.loads(body, object_pairs_hook=_once)
        except DoubledKeyError:
            raise
        except (ValueError, RecursionError):
            return


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        seen: set[str] = set()
        doubled = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise DoubledKeyError(f"the key {doubled[:80]!r} stands twice in one object")

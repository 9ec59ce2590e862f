"""Models that stand in no map, under the name by which they are listed: a new model is compared from its first day.

An id stands for its own name where it is told who made the model: by the organisation in the id (`sao10k/l3-8b-stheno`), by the
family of the name (`gemini-5-neon`), or by a vendor that sells its own models. What is no model to chat with under a price of
its own (audio, images, embeddings, names that move, fine-tunes, speed tiers) is left out with its reason. Both lists are
data: seeds/model_family.csv and the rows `left_out` of seeds/model_alias.csv.
"""

import csv
import re
from collections.abc import Set
from functools import cache

from sources.document import SEEDS

_NAME = re.compile(r"[a-z0-9][a-z0-9.\-]+")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_PLUMBING = frozenset(
    ("models", "accounts", "fireworks", "community", "fast", "deployments", "endpoints", "v1", "publishers", "")
)
"""Folders of a host's ids that name nobody."""


def left_out(source_model: str, name: str) -> str | None:
    """Why an id that stands in no map is no chat model with a price of its own; None where nothing says so.

    `name` is the id in one spelling.
    """
    written = source_model.lower()
    return next((why for pattern, why in _left_out() if pattern.search(written) or pattern.search(name)), None)


def made_by(source_model: str, name: str, sellers: Set[str]) -> str | None:
    """Who made a model, by the organisation in its id or the family of its name; None where neither tells.

    `name` is the id in one spelling; `sellers` holds the spellings of sellers: a host in the path says nothing.
    """
    organisations, families = _makers()
    folders = source_model.lower().removeprefix("@cf/").split("/")
    folder = folders[-2] if len(folders) > 1 else ""
    if folder in organisations:
        return organisations[folder]
    if folder not in _PLUMBING and folder not in sellers and not _REGION.fullmatch(folder) and _NAME.fullmatch(folder):
        return folder
    return next((developer for pattern, developer in families if pattern.match(name)), None)


def is_name(name: str) -> bool:
    """Whether an id in one spelling can be the name of a model."""
    return _NAME.fullmatch(name) is not None


@cache
def _left_out() -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = (row for row in _rows("model_alias.csv") if row["kind"] == "left_out")
    return tuple((re.compile(row["pattern"]), row["note"]) for row in rows)


@cache
def _makers() -> tuple[dict[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    rows = _rows("model_family.csv")
    organisations = {row["written"]: row["developer"] for row in rows if row["kind"] == "organisation"}
    families = ((re.compile(row["written"]), row["developer"]) for row in rows if row["kind"] == "family")
    return organisations, tuple(families)


def _rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))

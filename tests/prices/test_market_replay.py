"""Forty-five days of a made-up market, served by a real HTTP server, read by the real parsers, held against the truth.

What the history must hold is written beside each seller: every spell of every figure, no more and no less, from the day it
was first served. What was not believed at once is explained, and what was confirmed is dated.
"""

import json
import random
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import polars as pl
import pytest
import stamina

from assets.prices.consensus import consensus
from assets.prices.llm_prices import folded
from assets.prices.retirement import retirements, sold_on_each
from schemas.base import empty
from schemas.prices.llm_prices import LlmPrice
from sources.prices import litellm, models_dev, openrouter
from sources.prices.model_map import models
from sources.source import Snapshot
from sources.transports.http import Policy
from sources.transports.ladder import load
from tests import live_server as answers
from tests.live_server import HERE

DAYS = 45
MONDAY = datetime(2026, 10, 5, 6, tzinfo=UTC)
PATHS = {
    "litellm": "/BerriAI/litellm/main/model_prices_and_context_window.json",
    "openrouter": "/api/v1/models",
    "models_dev": "/api.json",
}
DEAD_FROM, SHRUNK_ON, NEW_KEY_FROM = 15, 30, 25
Spell = tuple[int, int | None, float]


def day(number: int) -> date:
    return (MONDAY + timedelta(days=number)).date()


def spells(*changes: tuple[int, float | None]) -> list[float | None]:
    """What a seller lists on each day: the figure of the last change; None where the model is not listed."""
    listed: list[float | None] = [None] * DAYS
    for start, usd in changes:
        listed[start:] = [usd] * (DAYS - start)
    return listed


def truth(listed: list[float | None]) -> list[Spell]:
    """Every spell of every figure, with its first day and the first day after it."""
    runs, at = [], 0
    for usd, group in groupby(listed):
        length = len(list(group))
        if usd is not None:
            runs.append((at, at + length if at + length < DAYS else None, usd))
        at += length
    return runs


@dataclass
class Seller:
    """One route: what is listed on each day, and what the history must hold of it."""

    listed: list[float | None]
    holds: list[Spell] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.holds = self.holds or truth(self.listed)


def swinging() -> list[float | None]:
    """A market floor that goes back and forth between two figures, a few days each."""
    return spells(*((start, (0.6, 0.5)[turn % 2]) for turn, start in enumerate(range(0, DAYS, 4))))


def walking(seed: int) -> list[float | None]:
    """A price that moves now and then, by less than a factor of two."""
    dice, usd, changes = random.Random(seed), 1.0 + seed, []
    # What changes on the day on which half of the document is missing is not served on that day.
    for start in sorted(dice.sample([number for number in range(1, DAYS) if number != SHRUNK_ON], 4)):
        usd = round(usd * dice.choice([0.6, 0.8, 1.25, 1.5]), 4)
        changes.append((start, usd))
    return spells((0, 1.0 + seed), *changes)


LITELLM = {
    "acme/cut": Seller(spells((0, 10.0), (12, 0.4))),
    "acme/slip-of-a-day": Seller(spells((0, 0.5), (8, 500.0), (9, 0.5)), [(0, None, 0.5)]),
    "acme/slip-of-four-days": Seller(spells((0, 0.5), (8, 500.0), (12, 0.5))),
    "acme/wrong-from-the-first-day": Seller(spells((0, 400.0), (4, 0.05))),
    "acme/cut-that-goes-on": Seller(spells((0, 10.0), (12, 0.4), (13, 0.36))),
    "acme/retired": Seller(spells((0, 1.0), (20, None))),
    "acme/back-again": Seller(spells((0, 3.0), (10, None), (15, 3.0))),
    "acme/back-at-another-price": Seller(spells((0, 3.0), (10, None), (15, 2.0))),
    "acme/left-out-once": Seller(spells((0, 7.0), (17, None), (18, 7.0)), [(0, None, 7.0)]),
    "acme/new": Seller(spells((6, 1.0), (33, 0.9))),
    "azure/gpt-5": Seller(spells((0, 1.25))),
    "azure/eu/gpt-5": Seller(spells((6, 1.375))),
    "gpt-4o": Seller(spells((0, 2.5), (12, 0.1))),
    **{f"acme/walk-{seed}": Seller(walking(seed)) for seed in range(12)},
}
OPENROUTER = {
    "acme/floor": Seller(swinging()),
    "openai/gpt-4.1-mini": Seller(spells((0, 0.4))),
    "openai/gpt-4.1-mini:batch": Seller(spells((22, 0.2))),
    "acme/quiet": Seller(spells((0, 5.0))),
}
MODELS_DEV = {
    "gpt-4o": Seller(spells((0, 2.5), (12, 0.1))),
    # The source is dead from its fifteenth day on: what it would have said later is not known.
    "gpt-stale": Seller(spells((0, 3.0), (20, 2.0)), [(0, None, 3.0)]),
}
MARKET = {"litellm": LITELLM, "openrouter": OPENROUTER, "models_dev": MODELS_DEV}


def litellm_document(today: int) -> bytes:
    listed = {name: seller.listed[today] for name, seller in LITELLM.items()}
    entries = {
        name: {
            "litellm_provider": name.split("/")[0] if "/" in name else "openai",
            "mode": "chat",
            "input_cost_per_token": usd / 1e6,
            **({"cost_per_thought": 1e-6} if today >= NEW_KEY_FROM and name == "acme/cut" else {}),
        }
        for name, usd in listed.items()
        if usd is not None
    }
    if today == SHRUNK_ON:
        entries = dict(list(entries.items())[: len(entries) // 2])
    return json.dumps({"sample_spec": {}} | entries).encode()


def openrouter_document(today: int) -> bytes:
    rows = [
        {"id": name, "pricing": {"prompt": f"{usd / 1e6:.12f}"}}
        for name, seller in OPENROUTER.items()
        if (usd := seller.listed[today]) is not None
    ]
    return json.dumps({"data": rows}).encode()


def models_dev_document(today: int) -> bytes:
    listed = {name: {"cost": {"input": seller.listed[today]}} for name, seller in MODELS_DEV.items()}
    return json.dumps({"openai": {"models": listed}}).encode()


@dataclass
class Replay:
    """What came of the days: the history, and what was refused on each of them."""

    history: pl.DataFrame
    refused: list[pl.DataFrame]

    def of(self, source: str, route: str) -> pl.DataFrame:
        return self.history.filter(source=source, source_model=route)


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """Every day: serve the documents of the day, load them down the ladder, parse them, fold them."""
    root = tmp_path_factory.mktemp("market") / "bronze"
    readers = {
        "litellm": (litellm.SOURCE, litellm.parse_prices, litellm.parse_models, litellm_document),
        "openrouter": (openrouter.SOURCE, openrouter.parse_prices, openrouter.parse_models, openrouter_document),
        "models_dev": (models_dev.SOURCE, models_dev.parse_prices, models_dev.parse_models, models_dev_document),
    }
    history, refused = empty(LlmPrice), []
    with contextmanager(answers.running)() as server, stamina.set_testing(True, attempts=1):
        for today in range(DAYS):
            now = MONDAY + timedelta(days=today)
            prices, attributes, rejected = [], [], []
            for name, (source, parse_prices, parse_models, document) in readers.items():
                alive = name != "models_dev" or today < DEAD_FROM
                body = document(today)
                # An entity tag of its own for each content: most days are answered with "not modified".
                reply = answers.document(body, etag=f'"{hash(body)}"') if alive else answers.status(503)
                server.serve(PATHS[name], reply)
                loaded = load(
                    source,
                    parse_prices,
                    bronze_root=root,
                    policy=Policy(private_hosts=HERE, min_interval_s=0.0, deadline_s=60.0),
                    offline=False,
                    now=now,
                    urls={name: server.url},
                )
                assert isinstance(loaded.snapshot, Snapshot)
                assert loaded.served_from == ("http" if alive else "bronze"), loaded.problems
                parsed = parse_prices(loaded.snapshot)
                prices.append(parsed.accepted)
                attributes.append(parse_models(loaded.snapshot).accepted)
                rejected.append(parsed.rejected)
            history, guarded = folded(history, prices, attributes, now=now)
            refused.append(pl.concat([*rejected, guarded]))
    LlmPrice.validate(history.select(LlmPrice.to_schema().columns.keys()), lazy=True)
    return Replay(history, refused)


ROUTES = [(source, route) for source, sellers in MARKET.items() for route in sellers]


@pytest.mark.parametrize(("source", "route"), ROUTES, ids=str)
def test_history_holds_every_spell_and_no_other(replay: Replay, source: str, route: str):
    found = replay.of(source, route).filter(~pl.col("status").is_in(["held", "dismissed"])).sort("valid_from")
    expected = [(day(start), day(end) if end else None, usd) for start, end, usd in MARKET[source][route].holds]
    assert found.select("valid_from", "valid_to", "usd_per_mtok").rows() == expected


def test_no_route_is_invented(replay: Replay):
    assert set(replay.history.select("source", "source_model").unique().rows()) == set(ROUTES)


@pytest.mark.parametrize(
    ("route", "statuses"),
    [
        ("acme/cut", ["believed", "believed"]),
        ("acme/slip-of-a-day", ["believed", "dismissed"]),
        ("acme/slip-of-four-days", ["believed", "corrected", "believed"]),
        ("acme/wrong-from-the-first-day", ["corrected", "believed"]),
        ("acme/retired", ["believed"]),
    ],
)
def test_what_came_and_went_is_marked(replay: Replay, route: str, statuses: list[str]):
    assert replay.of("litellm", route).sort("valid_from")["status"].to_list() == statuses


def test_floor_that_swings_keeps_every_spell_marked(replay: Replay):
    floor = replay.of("openrouter", "acme/floor").sort("valid_from")["status"].to_list()
    assert floor == ["believed", *["reverted"] * (len(floor) - 2), "believed"]


def test_every_confirmation_is_dated_and_names_its_source(replay: Replay):
    held = replay.history.filter(pl.col("held_by").is_not_null(), pl.col("status") != "dismissed")
    told = held.select("source", "source_model", "valid_from", "confirmed_on", "confirmed_by")
    assert sorted(told.rows()) == sorted(
        [
            ("litellm", "acme/cut", day(12), day(13), "litellm"),
            ("litellm", "acme/cut-that-goes-on", day(12), day(13), "litellm"),
            ("litellm", "acme/slip-of-four-days", day(8), day(9), "litellm"),
            ("litellm", "acme/wrong-from-the-first-day", day(4), day(5), "litellm"),
            ("litellm", "gpt-4o", day(12), day(12), "models_dev"),
            ("models_dev", "gpt-4o", day(12), day(12), "litellm"),
        ]
    )
    ended = replay.history.filter(pl.col("end_confirmed_on").is_not_null())
    assert {(row["source_model"], row["end_confirmed_on"]) for row in ended.to_dicts()} == {
        ("acme/retired", day(21)),
        ("acme/back-again", day(11)),
        ("acme/back-at-another-price", day(11)),
    }


def test_every_refusal_is_explained(replay: Replay):
    rules = {today: set(rows["rule"]) for today, rows in enumerate(replay.refused) if rows.height}
    assert all(rows["reason"].is_not_null().all() for rows in replay.refused)
    assert rules[SHRUNK_ON] >= {"mass_disappearance"}
    assert rules[8] == rules[12] == {"jump_20x"}
    assert rules[10] == rules[17] == rules[20] == {"vanished_once"}
    assert all("unknown_price_key" in rules[today] for today in range(NEW_KEY_FROM, DAYS))
    assert set().union(*rules.values()) == {"jump_20x", "vanished_once", "mass_disappearance", "unknown_price_key"}


def test_dead_source_keeps_its_prices_and_says_how_old_they_are(replay: Replay):
    stale = replay.of("models_dev", "gpt-stale")
    assert stale["evidence_on"].to_list() == [day(DEAD_FROM - 1)]
    last = day(DAYS - 1)
    today = consensus(sold_on_each(replay.history, retirements(replay.history, models()), [last]), each=["as_of"])
    assert today.filter(model="gpt-stale").select("age_days", "is_stale").rows() == [(DAYS - DEAD_FROM, False)]
    assert replay.of("litellm", "gpt-4o").sort("valid_from")["evidence_on"].to_list() == [day(11), last]


def test_past_days_are_rebuilt_as_they_were(replay: Replay):
    """Every price of every day is the one that was listed then, but for days on which a slip was listed."""
    ends = retirements(replay.history, models())
    rebuilt = sold_on_each(replay.history, ends, [day(number) for number in range(DAYS)])
    said = rebuilt.filter(source="litellm").to_dicts()
    of_litellm = {(row["as_of"], row["source_model"]): row["usd_per_mtok"] for row in said}
    for route, seller in LITELLM.items():
        for start, end, usd in seller.holds:
            for number in range(start, end or DAYS):
                found = of_litellm.pop((day(number), route), None)
                assert found == usd or (found is None and usd in (400.0, 500.0)), (route, number)
    assert of_litellm == {}


def test_every_row_names_a_document_that_was_served(replay: Replay):
    assert replay.history["document_sha256"].is_not_null().all()
    cut = replay.of("litellm", "acme/cut").sort("valid_from")
    assert cut["locator"].unique().to_list() == ["/acme~1cut/input_cost_per_token"]

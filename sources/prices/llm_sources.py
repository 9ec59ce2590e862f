"""Modules of the sources of LLM prices, found by the names in `schemas.prices.llm_prices.PRICE_SOURCES`."""

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from schemas.prices.price_sources import PRICE_SOURCES
from schemas.quarantine import Parsed
from sources.source import Snapshot, Source


class PriceSource(Protocol):
    """What a module of a price source has."""

    SOURCE: Source
    parse_prices: Callable[[Snapshot], Parsed]
    parse_models: Callable[[Snapshot], Parsed]


def parsers(name: str) -> PriceSource:
    """The module `sources.prices.<name>` of one source. Raises ImportError where there is none."""
    return cast(PriceSource, import_module(f"sources.prices.{name}"))


SOURCES = {name: (parsers(name).SOURCE,) for name in PRICE_SOURCES}
"""Each source by the name of the asset that fetches it."""

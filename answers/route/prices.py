"""Prices of the models of a user's table: as the user says, else those of the warehouse on a day."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from answers.query import connect
from answers.route.files import BadUsageError

CHARS_PER_TOKEN = 4.0
"""Where characters stand for tokens: about what tokenizers make of English."""
_SAID = re.compile(r"(?P<model>.+)=(?P<input>[\d.eE+-]+)(?:/(?P<output>[\d.eE+-]+))?(?:/(?P<cached>[\d.eE+-]+))?")


@dataclass(frozen=True, kw_only=True)
class Price:
    """USD per million tokens, and where the figures are from."""

    input_usd_per_mtok: float
    output_usd_per_mtok: float
    basis: str
    cache_read_usd_per_mtok: float | None = None


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Where prices come from."""

    said: dict[str, Price] = field(default_factory=dict)
    warehouse: Path | None = None
    day: date | None = None
    """None: today's prices, and costs that the table states stay as they are."""

    def of(self, model: str) -> Price:
        """Price of a model by the name the table has for it. Raises BadUsageError where there is none."""
        if model in self.said:
            return self.said[model]
        if self.warehouse is None or not self.warehouse.exists():
            raise BadUsageError(f"no price of {model}: say --price {model}=INPUT/OUTPUT, or run `iecon refresh` first")
        return listed(model, warehouse=self.warehouse, day=self.day)


def parsed_prices(said: list[str]) -> dict[str, Price]:
    """`MODEL=2.5/10` as prices; one number is both, a third one is that of a cache read."""
    found = {}
    for one in said:
        match = _SAID.fullmatch(one)
        try:
            prices = [float(match["input"]), float(match["output"] or match["input"])] if match else None
            cached = float(match["cached"]) if match and match["cached"] else None
        except ValueError:
            prices, cached = None, None
        if match is None or prices is None or min([*prices, cached or 0.0]) < 0.0:
            raise BadUsageError(f"--price {one}: must be MODEL=INPUT/OUTPUT in USD per million tokens, such as gpt-4o=2.5/10")
        found[match["model"]] = Price(
            input_usd_per_mtok=prices[0], output_usd_per_mtok=prices[1], basis="as you say", cache_read_usd_per_mtok=cached
        )
    return found


def listed(model: str, *, warehouse: Path, day: date | None) -> Price:
    """The model's list price on a day: its developer's own, else the median of hosts. Raises BadUsageError."""
    from assets.prices.consensus import consensus  # noqa: PLC0415  (few tables are priced; these load the orchestrator)
    from assets.prices.frontier import priced_models  # noqa: PLC0415
    from assets.prices.retirement import still_sold  # noqa: PLC0415
    from sources.prices.model_map import resolve  # noqa: PLC0415
    from warehouse.history import holding_on  # noqa: PLC0415

    canonical = resolve(pl.DataFrame({"source": ["user"], "source_provider": [""], "source_model": [model]}))["model"].item()
    if canonical is None:
        raise BadUsageError(f"no price of {model}: no model of the warehouse has that name; say --price {model}=INPUT/OUTPUT")
    when = day or datetime.now(tz=UTC).date()
    with connect(warehouse) as connection:
        history = connection.sql("SELECT * FROM core.llm_price WHERE model = ?", params=[canonical]).pl()
        retired = connection.sql("SELECT * FROM core.model_retirement WHERE model = ?", params=[canonical]).pl()
    prices = consensus(still_sold(holding_on(history, when), retired, pl.lit(when)), day=when)
    known = priced_models(prices).filter(pl.col("model") == canonical)
    if known.is_empty():
        first = history.select(pl.coalesce("valid_from", pl.col("observed_at").dt.date()).min()).item()
        since = f" (known since {first})" if first is not None else ""
        ended = retired["retired_on"].max()
        since = f" (sold until {ended})" if isinstance(ended, date) and ended <= when else since
        raise BadUsageError(f"no price of {model} ({canonical}) on {when}{since}; say --price {model}=INPUT/OUTPUT")
    row = known.row(0, named=True)
    cached = prices.filter(pl.col("leg") == "cache_read", pl.col("variant") == "standard", pl.col("tier_min_tokens") == 0)
    read = cached.sort("first_party", descending=True)["usd_per_mtok"].head(1)
    return Price(
        input_usd_per_mtok=row["input_usd_per_mtok"],
        output_usd_per_mtok=row["output_usd_per_mtok"],
        basis=f"list price of {canonical} on {when}",
        cache_read_usd_per_mtok=float(read.item()) if len(read) else None,
    )

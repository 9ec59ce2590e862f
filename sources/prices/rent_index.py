"""Ornn's index of GPU rents by day, live: one document per GPU. Off until a user switches it on.

The address serves the publisher's dashboard and is not documented: it may change or end without notice, and nothing says that
programs may ask it. A user who has made sure of that lists the source under `enabled` in config.yaml.
"""

from datetime import date
from urllib.parse import quote

import msgspec
import polars as pl

from schemas.base import empty
from schemas.prices.market import GpuRentIndexFigure
from schemas.quarantine import Parsed, Rejected
from sources.prices.market_seeds import under
from sources.prices.price_keys import decode
from sources.source import Http, Snapshot, Source, refuses_in_words

GPUS = ("H100 SXM", "H200", "A100 SXM4", "RTX 5090", "B200")
_OF_SOURCE = {f"ornn_{gpu.lower().replace(' ', '_')}": gpu for gpu in GPUS}
SOURCES = tuple(
    Source(
        name=name,
        title=f"Ornn: rental index of {gpu}",
        homepage="https://dashboard.ornnai.com",
        licence="none stated: figures are facts, cited by publisher",
        live=(Http(f"https://dashboard.ornnai.com/api/gpu/{quote(gpu)}/index-history?range=1Y"),),
        opt_in=True,
    )
    for name, gpu in _OF_SOURCE.items()
)


class _Point(msgspec.Struct):
    timestamp: str
    index_value: float


class _History(msgspec.Struct):
    data: list[_Point]


@refuses_in_words
def parse_index(snapshot: Snapshot) -> Parsed:
    """Read the index of one GPU (contract `GpuRentIndexFigure`). Raises ValueError for a source that is none of ours."""
    if snapshot.source not in _OF_SOURCE:
        raise ValueError(f"{snapshot.source!r} is no GPU of the index")
    points = decode(snapshot, _History, "an object with a list of days under data").data
    rows = pl.DataFrame(
        [(date.fromisoformat(each.timestamp[:10]), each.index_value) for each in points],
        schema={"as_of": pl.Date, "usd_per_gpu_hour": pl.Float64},
        orient="row",
    )
    told = rows.with_columns(
        source_gpu=pl.lit(_OF_SOURCE[snapshot.source]), source=pl.lit("ornn"), locator=pl.lit(snapshot.uri)
    ).unique("as_of", keep="last", maintain_order=True)
    return Parsed(under(told, GpuRentIndexFigure), empty(Rejected))

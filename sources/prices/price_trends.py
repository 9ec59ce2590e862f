"""Published falls of the price of inference, and the points behind Epoch's: two CSVs, two parsers.

`transcribed/price_trend*.csv` hold the rows; `transcribed/price_trend*.source.yaml` say what was taken.
"""

from schemas.prices.compression import PriceTrendFigure, PriceTrendPoint
from schemas.quarantine import Parsed
from sources.document import TRANSCRIBED, document
from sources.evidence.published_figures import typed
from sources.source import Snapshot, refuses_in_words

FIGURES = document(TRANSCRIBED / "price_trends.csv")
POINTS = document(TRANSCRIBED / "price_trend_points.csv")


@refuses_in_words
def parse_figures(snapshot: Snapshot) -> Parsed:
    """Read the figures (contract `PriceTrendFigure`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, PriceTrendFigure)


@refuses_in_words
def parse_points(snapshot: Snapshot) -> Parsed:
    """Read the points (contract `PriceTrendPoint`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, PriceTrendPoint)

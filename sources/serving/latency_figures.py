"""Times of single steps, transcribed from papers and the files they released: `transcribed/latency.csv`, one row per time.

`transcribed/latency.source.yaml` says what was taken and what was left out.
"""

from schemas.quarantine import Parsed
from schemas.serving.calibration import LatencyFigure
from sources.document import TRANSCRIBED, document
from sources.evidence.published_figures import typed
from sources.source import Snapshot, refuses_in_words

SOURCE = document(TRANSCRIBED / "latency.csv", name="latency_figures")


@refuses_in_words
def parse(snapshot: Snapshot) -> Parsed:
    """Read the step times (contract `LatencyFigure`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, LatencyFigure)

"""Times of single steps, transcribed from papers and the files they released: `transcribed/latency.csv`, one row per time.

`transcribed/latency.source.yaml` says what was taken and what was left out.
"""

from datetime import UTC, datetime

from schemas.quarantine import Parsed
from schemas.serving.calibration import LatencyFigure
from sources.evidence.published_figures import PUBLISHED, typed
from sources.source import Seed, Snapshot, Source, refuses_in_words

SOURCE = Source(
    name="latency_figures",
    title="Step times of Sarathi-Serve, DistServe and Splitwise",
    homepage="https://arxiv.org/abs/2403.02310",
    licence="facts, each with its citation; artifacts Apache-2.0 (Sarathi-Serve, DistServe) and MIT (splitwise-sim)",
    live=(),
    floor=(Seed(PUBLISHED / "latency.csv", as_of=datetime(2026, 11, 23, tzinfo=UTC)),),
)


@refuses_in_words
def parse(snapshot: Snapshot) -> Parsed:
    """Read the step times (contract `LatencyFigure`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, LatencyFigure)

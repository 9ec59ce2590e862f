"""Figures on inference-time compute transcribed from papers: accuracy by samples, costs, verifiers, and one surface.

`transcribed/test_time_<document>.csv` holds one row per figure with its place and status; `.source.yaml` says what was
taken. The surface of Pythia checkpoints is a grid and has its own columns.
"""

from schemas.quarantine import Parsed
from schemas.test_time.cost_per_correct import TestTimeFigure
from schemas.test_time.inference_frontier import PythiaSurfaceFigure
from sources.document import TRANSCRIBED, document, documents_of
from sources.evidence.published_figures import typed
from sources.source import Snapshot, refuses_in_words

SOURCES = documents_of("raw.test_time_figure")
SURFACE = document(TRANSCRIBED / "test_time_pythia_surface.csv")


@refuses_in_words
def parse_figures(snapshot: Snapshot) -> Parsed:
    """Read one document's figures (contract `TestTimeFigure`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, TestTimeFigure)


@refuses_in_words
def parse_surface(snapshot: Snapshot) -> Parsed:
    """Read the surface (contract `PythiaSurfaceFigure`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, PythiaSurfaceFigure)

"""Figures on inference-time compute transcribed from papers: accuracy by samples, costs, verifiers, and one surface.

`transcribed/test_time_<document>.csv` holds one row per figure with its place and status; `.source.yaml` says what was
taken. The surface of Pythia checkpoints is a grid and has its own columns.
"""

from datetime import UTC, datetime
from pathlib import Path

from schemas.quarantine import Parsed
from schemas.test_time.cost_per_correct import TestTimeFigure
from schemas.test_time.inference_frontier import PythiaSurfaceFigure
from sources.evidence.published_figures import NEVER_STALE, typed
from sources.source import Seed, Snapshot, Source, refuses_in_words

PUBLISHED = Path(__file__).parents[1] / "transcribed"
AS_OF = datetime(2026, 11, 23, tzinfo=UTC)

DOCUMENTS = {
    "rstar_math": ("rStar-Math (ICML 2025)", "https://arxiv.org/abs/2501.04519"),
    "deepseek_r1": ("DeepSeek-R1 and training costs of V3 and R1", "https://arxiv.org/abs/2501.12948"),
    "snell": ("Scaling test-time compute, Snell et al. (ICLR 2025)", "https://arxiv.org/abs/2408.03314"),
    "brown": ("Large Language Monkeys, Brown et al.", "https://arxiv.org/abs/2407.21787"),
    "wu": ("Inference scaling laws, Wu et al.", "https://arxiv.org/abs/2408.00724"),
    "s1": ("s1: simple test-time scaling", "https://arxiv.org/abs/2501.19393"),
    "stroebl": ("Inference scaling with imperfect verifiers, Stroebl et al.", "https://arxiv.org/abs/2411.17501"),
    "arc_o3_preview": ("o3-preview on ARC-AGI-1", "https://arcprize.org/leaderboard"),
    "hal": ("Holistic Agent Leaderboard, selected runs", "https://arxiv.org/abs/2510.11977"),
    "codemonkeys": ("CodeMonkeys", "https://arxiv.org/abs/2501.14723"),
    "rose": ("ROSE: rollouts on serving GPUs", "https://arxiv.org/abs/2605.06534"),
    "vhg": ("Verifier-backed hard problem generation, Lai et al.", "https://arxiv.org/abs/2605.06660"),
}


def _source(name: str, title: str, homepage: str) -> Source:
    return Source(
        name=f"test_time_{name}",
        title=title,
        homepage=homepage,
        licence="facts, each with its citation",
        live=(),
        floor=(Seed(PUBLISHED / f"test_time_{name}.csv", as_of=AS_OF),),
        fresh_for=NEVER_STALE,
    )


SOURCES = tuple(_source(name, title, homepage) for name, (title, homepage) in DOCUMENTS.items())
SURFACE = _source(
    "pythia_surface",
    "Coverage of Pythia checkpoints by training tokens and samples",
    "https://github.com/KoyejoLab/Large-How-Do-Language-Monkey-Power-Get-Their-Power",
)


@refuses_in_words
def parse_figures(snapshot: Snapshot) -> Parsed:
    """Read one document's figures (contract `TestTimeFigure`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, TestTimeFigure)


@refuses_in_words
def parse_surface(snapshot: Snapshot) -> Parsed:
    """Read the surface (contract `PythiaSurfaceFigure`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, PythiaSurfaceFigure)

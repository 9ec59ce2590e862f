"""Whether a router pays, and why not."""

from dataclasses import dataclass

from answers.route.record import Verdict
from economics.routing.judged import JudgedEstimate

FEWEST_UNITS = 60
"""Below it a share of correct answers has an interval wider than most premiums."""
HELD_SLACK = 0.03
"""Sampling error of the share of redraws."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the verdict rests on."""

    units: int
    any_threshold: bool
    reversed: bool
    fixed: bool
    promised: bool
    by_threshold: bool
    """The promised policy is a threshold."""
    is_strong: bool
    """It is the strong model for all."""
    held: float | None
    confidence: float
    saving: JudgedEstimate
    """At equal quality, of the promised policy."""
    saving_at_the_quality_asked: JudgedEstimate
    threshold_share: float
    """Of the items judged at the quality asked, how many were judged by a threshold."""


def verdict_of(evidence: Evidence) -> tuple[Verdict, str]:
    """The verdict and its reason: the first rule that applies."""
    if evidence.units < FEWEST_UNITS:
        counted = "1 item" if evidence.units == 1 else f"{evidence.units} items or groups"
        return "not shown", f"{counted}; {FEWEST_UNITS} are needed to judge on unseen ones"
    if not evidence.any_threshold:
        return "no", "the score is one value for all items, so it cannot tell them apart"
    if evidence.reversed:
        return "no", "the score is reversed: low means hard (say --low-is-hard)"
    if evidence.fixed or (evidence.promised and evidence.by_threshold):
        return _of_a_threshold(evidence)
    return _without_a_threshold(evidence)


def _without_a_threshold(evidence: Evidence) -> tuple[Verdict, str]:
    if evidence.threshold_share > 0.5 and evidence.saving_at_the_quality_asked.high <= 0.0:
        return "no", "with what the router costs no threshold is cheaper than doing without it"
    if not evidence.promised:
        return "not shown", "no policy is sure to keep the floor"
    if evidence.is_strong:
        return "not shown", "no threshold is sure to keep the floor and costs less"
    return "no", "one model for all keeps the floor and costs less"


def _of_a_threshold(evidence: Evidence) -> tuple[Verdict, str]:
    saving = evidence.saving
    if saving.high <= 0.0:
        return "no", "a random mix of the models that is correct as often costs no more"
    if not evidence.promised:
        return "not shown", f"the floor is not sure at {evidence.confidence:.0%} confidence"
    if evidence.held is not None and evidence.held < evidence.confidence - HELD_SLACK:
        return "not shown", f"the floor held in only {evidence.held:.0%} of redraws of the table"
    if saving.low > 0.0:
        return "yes", "at equal quality the whole interval of the saving is above 0"
    return "not shown", "the interval of the saving holds 0"

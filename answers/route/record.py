"""What `iecon route` is asked, and the one decision it makes. Costs in USD per item, savings as shares; None: not known."""

from dataclasses import dataclass, field
from typing import Literal

from economics.routing.judged import JudgedEstimate

Verdict = Literal["yes", "no", "not shown"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What must be kept, and what routing costs besides the answers."""

    strong: str | None = None
    weak: str | None = None
    quality: float = 1.0
    """Share of the way from the weak to the strong model."""
    min_quality: float | None = None
    max_drop: float | None = None
    """Below the strong model's quality. At the strong model's own quality and by default .01."""
    budget_per_item: float | None = None
    threshold: float | None = None
    """Judge this one."""
    confidence: float = 0.95
    after_answer: bool = False
    """The score needs the weak model's answer."""
    shared_prefix: float = 0.0
    """Share of the input tokens that a conversation repeats and a cache would hold; lost when the model changes."""
    switch_latency_s: float = 0.0
    verifier_cost: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Something that can be followed."""

    kind: Literal["by threshold", "one model", "random mix"]
    models: tuple[str, ...]
    """The strong model first."""
    score: str | None = None
    threshold: float | None = None
    """The first model answers when the score is this or above (of a score where low is hard: this or below)."""
    low_is_hard: bool = False
    after_answer: bool = False
    share: float | None = None
    """Of a random mix: share of items of the first model."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What is promised of the policy."""

    rule: str
    value: float | None
    """In the table."""
    confidence: float
    promised: bool
    """Whether a policy was found that is sure to keep it."""
    held_in_redraws: float | None
    """Share of redraws of the table in which the policy chosen on the redraw kept the floor."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One score."""

    score: str
    pays: Verdict
    why: str
    policy: Policy
    """What to do; the best policy without the controller where routing does not pay."""
    floor: Floor
    of_policy: dict[str, JudgedEstimate]
    """The policy's cost, quality and savings, each item judged by a choice it had no part in."""
    at_the_quality_asked: dict[str, JudgedEstimate]
    """The same of the threshold that keeps the quality asked on average, without a promise."""
    router_threshold: float | None = None
    """The threshold that was judged, also where routing does not pay; None: no threshold was."""
    router_saving_at_equal_quality: JudgedEstimate | None = None
    """Of the promised threshold; where none is promised, of the one at the quality asked."""
    price_of_certainty_usd_per_item: float | None = None
    """What the promised policy costs more than the threshold at the quality asked."""
    terms: dict[str, float | None] = field(default_factory=dict)
    """kappa, delta, gamma of the threshold at the quality asked."""
    reversed: bool = False
    apgr: float | None = None
    """Of the score between strong and weak model, as RouteLLM prints it."""
    cpt_50: float | None = None
    cpt_80: float | None = None
    latency_s: float | None = None
    """Mean of the policy where it is a threshold, else of the strong model for all; None where the table has none."""
    slices: list["Slice"] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One category, under the judged threshold."""

    category: str
    items: int
    strong_share: float
    estimates: dict[str, JudgedEstimate]


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model for all items."""

    model: str
    quality: JudgedEstimate
    cost: JudgedEstimate
    cost_per_correct: JudgedEstimate
    latency_s: float | None
    worth_calling: bool
    """On the convex hull of quality over cost."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A policy without a threshold: an oracle, a cascade, a router that ran, adaptive sampling."""

    name: str
    basis: str
    estimates: dict[str, JudgedEstimate]
    oracle_quality: float | None = None
    """At the same share of strong answers."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer: one object for words, JSON and the policy file."""

    strong: str
    weak: str
    items: int
    groups: int
    """What is resampled: items, or the groups they belong to."""
    items_left_out: int
    missing: dict[str, int]
    copies: int
    copies_example: tuple[str, ...]
    cost_basis: str
    controller_cost_usd_per_item: float | None
    models: list[Model]
    judgements: list[Judgement]
    """One per score, the best first."""
    compared: list[Compared]
    notes: tuple[str, ...]

    @property
    def best(self) -> Judgement:
        """The judgement to follow."""
        return self.judgements[0]

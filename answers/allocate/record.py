"""What `iecon allocate` is asked, and what it answers. None: not known."""

from dataclasses import dataclass


class AllocationError(ValueError):
    """A question that cannot be answered as asked; says what exists. The command exits with 2."""

    code = 2


@dataclass(frozen=True, kw_only=True)
class BudgetQuestion:
    """What is asked. None: taken from the evidence."""

    benchmark: str
    base: str
    budget_usd: float
    queries: float
    tokens_per_answer: float | None = None
    tokens_in: float | None = None
    """Input tokens of a question, billed at the base's input price; None: not counted."""
    usd_per_sample: float | None = None
    """What one answer of the base costs, as the user measured it; comes before tokens and price."""
    accuracy: float | None = None
    """The base's accuracy as the user measured it, a share."""
    items: int | None = None
    """Items it was measured on, where the benchmark itself does not fix them."""
    value_usd: float | None = None
    """What one more correct answer is worth."""
    usd_per_mtok: float | None = None
    """Price of the base's output tokens."""
    training_usd: float | None = None
    """What the base's training cost so far."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One way to spend: what it reaches and costs, and what that rests on. Accuracies are shares; None: not known."""

    channel: str
    """train, sample, verify or buy."""
    what: str
    spend_usd: float | None
    """Below 0 where the option is cheaper than what is run now."""
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    extra_correct: float
    usd_per_extra_correct: float | None
    usd_per_correct: float | None
    """Whole bill, this spend included, per correct answer."""
    n: int
    borrowed: bool
    """Something of it was not measured on the base or the model itself."""
    borrows: tuple[str, ...]
    """What that is, in words."""
    net_usd: float | None
    """Worth of the answers added less the spend; None where the user names no worth."""
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """An answer with what it rests on."""

    benchmark: str
    base: str
    base_model: str | None
    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    budget_usd: float
    queries: float
    usd_per_query: float
    tokens_per_answer: float | None
    tokens_basis: str
    usd_per_mtok: float | None
    price_basis: str
    cost_basis: str
    """measured, given, or price x tokens: how the cost of a question is known."""
    borrowed: tuple[str, ...]
    """All that the answer rests on and that was not measured on what it speaks of."""
    options: tuple[Option, ...]
    """The one that adds most correct answers first; a verifier, whose price nobody states, last."""
    answer: str | None
    certain: bool
    """Nothing the answer rests on is borrowed, and the worse end of its interval beats the better end of all others."""
    verdicts: dict[str, str | float | None]
    """Three forms of the condition at the question's own dollars."""
    flips: tuple[str, ...]
    notes: tuple[str, ...]

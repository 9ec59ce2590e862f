"""Contracts of verifiers: what a point of acceptance or precision is worth, and what a verifier earns as a curriculum."""

import polars as pl

from schemas.base import Table, carried_from, column
from schemas.status import BELIEVED, STATUS_MEANING


class VerifierValue(Table):
    """What one percentage point of acceptance or precision is worth at measured operating points of a verifier."""

    verifier: str = column("what accepts the answers, and what judges whether it was right to")
    benchmark: str = column("benchmark")
    system: str = column("system whose answers are judged")
    configuration: str = column("run; the document for published figures")
    n: pl.Int64 = column("questions; NULL where the document does not tell", unit="questions", nullable=True)
    why_no_interval: str = column("why n and the interval are NULL; NULL where they are known", nullable=True)
    accept_rate: float = column("alpha: share of answers accepted", gt=0, lt=1)
    accept_rate_low: float = column("lower end of the 95 % Wilson interval", nullable=True, ge=0, le=1)
    accept_rate_high: float = column("upper end of the 95 % Wilson interval", nullable=True, ge=0, le=1)
    precision: float = column("pi: share of accepted answers that are correct", gt=0, le=1)
    false_positive_rate: float = column("share of wrong answers that are accepted; every right one is", ge=0, le=1)
    cpm_usd_per_mtok: float = column(
        "blended price today; NULL where the model is not priced", unit="usd_per_mtok", nullable=True, gt=0
    )
    verified_capability_mtok_per_usd: float = column(
        "VCpD: tokens of this system that a dollar buys, before any question of alpha",
        unit="mtok_per_usd",
        nullable=True,
        gt=0,
    )
    published_usd_per_accepted_mtok: float = column(
        "Cost-correct as published, one rollout, no reasoning tokens", unit="usd_per_mtok", nullable=True
    )
    lenient_published_usd_per_accepted_mtok: float = column(
        "the same if ten more points of wrong answers were accepted: it falls", unit="usd_per_mtok", nullable=True
    )
    corrected_usd_per_correct_mtok: float = column(
        "per million answer tokens that are accepted and correct: leniency does not move it",
        unit="usd_per_mtok",
        nullable=True,
    )
    lenient_corrected_usd_per_correct_mtok: float = column(
        "the same if ten more points of wrong answers were accepted", unit="usd_per_mtok", nullable=True
    )
    corrected_usd_per_correct: float = column("measured cost per correct answer", unit="usd", nullable=True, gt=0)
    accept_point_worth: float = column("saving of one point of alpha over that of one percent of the price: 1 / (alpha + 0.01)")
    accept_point_saving_usd_per_mtok: float = column(
        "saved in the corrected cost by one more point of alpha at this precision", unit="usd_per_mtok", nullable=True
    )
    precision_point_saving_usd_per_mtok: float = column(
        "saved in the corrected cost by one more point of precision; NULL where it is at 1",
        unit="usd_per_mtok",
        nullable=True,
    )
    accept_point_saving_usd: float = column("saved per correct answer by one more point of alpha", unit="usd", nullable=True)
    both_accept_low: float = column("least that two such verifiers can both accept", ge=0, le=1)
    both_accept_high: float = column("most that two such verifiers can both accept", ge=0, le=1)
    both_accept_independent: float = column("share that both accept if they err independently", ge=0, le=1)
    either_accept_low: float = column("least that one or the other accepts", ge=0, le=1)
    either_accept_high: float = column("most that one or the other accepts", ge=0, le=1)
    either_accept_independent: float = column("share that one or the other accepts if they err independently", ge=0, le=1)
    composition_spread: float = column(
        "cost of the worst over the best pairing of the two; NULL where the worst accepts nothing", nullable=True, ge=1
    )
    procurement_gap: float = column("most that the best-scored of 5 verifiers on 1,000 probes may fall short, at 95 %", gt=0)
    procurement_bound_usd_per_mtok: float = column(
        "that gap in Cost-correct, with this alpha as the least", unit="usd_per_mtok", nullable=True
    )
    as_of: pl.Date = column("day of the prices")

    class Config:
        name = "marts.verifier_value"
        unique = ["benchmark", "system", "configuration"]


class VerifierCurriculum(Table):
    """A verifier that also sets the curriculum: the setter's reward, the published gains, and its cost over its uses.

    Prices are today's; tokens, calls and the fixed cost of the verifier are scenarios, so the dollars compare rows and state no
    one's bill. No set's number of problems is stated in what was read, so no accuracy has an interval.
    """

    system: str = column("trained solver", derived_from=("test_time_figure.system",))
    benchmark: str = column("set of problems", derived_from=("test_time_figure.benchmark",))
    version: str = column("document and version", derived_from=("test_time_figure.version",))
    status: str = column(STATUS_MEANING, isin=BELIEVED)
    verifier: str = column("hard: symbolic; soft: a language model; none: two parties only", isin=("hard", "soft", "none"))
    uses: pl.Int64 = column(
        "uses of it: 1 sets the curriculum in training; 3 filters and selects the answers served too; 0 without", ge=0, le=3
    )
    n: pl.Int64 = column(
        "problems of the set; NULL as not told, so there is no interval",
        unit="questions",
        nullable=True,
        derived_from=("test_time_figure.n",),
    )
    accuracy_before: float = column("pass@1 before", gt=0, le=1, derived_from=("test_time_figure.value",))
    accuracy_after: float = column("pass@1 after", gt=0, le=1, derived_from=("test_time_figure.value",))
    gain_points: float = column("gain", unit="points")
    setter_reward_before: float = column("reward per accepted problem: 1 - accuracy of the solver", ge=0, le=1)
    setter_reward_after: float = column("the same once the solver has learnt: it falls", ge=0, le=1)
    invalid_problem_reward: float = column(
        "what a problem without a right answer earns the setter: 0 behind a verifier, 1 without", ge=0, le=1
    )
    price_of: str = column("model whose price today stands for the solver, which nobody sells", nullable=True)
    rollout_usd: float = column("scenario: 4,000 output tokens at that price", unit="usd", nullable=True, gt=0)
    verifier_usd_per_call: float = column(
        "on an answer served, 0 where it only trained; scenario: $1,000 to build, over a million calls in each use; a soft one "
        "also reads the rollout and writes 200 tokens",
        unit="usd",
        nullable=True,
        ge=0,
    )
    price_elasticity: float = column(
        "percent the cost after moves for one percent of the token price", nullable=True, gt=0, le=1
    )
    verifier_elasticity: float = column(
        "percent it moves for one percent of the verifier's price; in alpha, precision and rollouts it is 1 or -1",
        nullable=True,
        ge=0,
        lt=1,
    )
    usd_per_correct_before: float = column("without a verifier, before", unit="usd", nullable=True, gt=0)
    usd_per_correct_after: float = column(
        "after, with the verifier paid on every rollout it selects", unit="usd", nullable=True, gt=0
    )
    cost_factor: float = column("after over before; above 1 the verifier costs more than its gain", nullable=True, gt=0)
    training_verifier_usd: float = column(
        "scenario: what building it and a million calls in training cost, paid once; NULL where it also selects",
        unit="usd",
        nullable=True,
        gt=0,
    )
    answers_to_pay_back: float = column(
        "correct answers served after which that is saved; NULL where it also selects or nothing is saved",
        unit="answers",
        nullable=True,
        gt=0,
    )
    flipping_fixed_usd: float = column(
        "cost of building a verifier that also selects at which that factor is 1; below 0 its calls alone eat the gain",
        unit="usd",
        nullable=True,
    )
    as_of: pl.Date = column("day of the price")

    class Config:
        name = "marts.verifier_curriculum"
        metadata = carried_from("test_time_figure")
        unique = ["system", "benchmark", "uses"]

"""Contracts of routing: figures as published, what they imply for the premium, which are fragile, and replayed curves."""

import polars as pl

from schemas.base import Table, carried_from, column

PATTERNS = (
    "speculative_decoding",
    "early_exit",
    "cascade",
    "router",
    "adaptive_sampling",
    "complexity_aware_exploration",
)
STATUSES = ("printed", "quoted", "derived", "recalled", "not_found")
BELIEVED = STATUSES[:3]
"""Statuses that may reach a mart."""
STATUS_MEANING = (
    "printed: in the document; quoted: as others quote it; derived: computed as the note says; recalled: general knowledge, in "
    "no mart; not_found: the work could not be found, so there is no figure"
)
EVIDENCE = ("in_sample", "out_of_sample", "scenario", "not_stated")
EVIDENCE_MEANING = (
    "in_sample: setting chosen, or terms solved for, on the items that judge it; out_of_sample: on others, or nothing to fit; "
    "scenario: a model's answer, not a measurement"
)
METRICS = (
    "speedup_x",
    "slowdown_x",
    "saving_percent",
    "cost_share_percent",
    "gross_saving_percent",
    "gross_reduction_x",
    "samples_used",
    "quality_against_random_percent",
    "no_gain_stated",
    "not_testable",
)
BOUNDS = ("exact", "at_least", "at_most")
BOUND_MEANING = "whether the figure is the usual case, a floor, or an extreme ('up to')"
POLICIES = ("random", "oracle", "prompt_length")
SIGNS = ("positive", "negative", "not_shown")
OVERSTATEMENTS = (0.10, 0.25, 0.50)


class _Point(Table):
    figure: str = column("name of the operating point", str_matches=r"^[a-z0-9_]+$")
    system: str = column("system that was measured")
    pattern: str = column("class of conditional compute", isin=PATTERNS)
    setting: str = column("models, data and load of the figure")
    version: str = column("document and version")
    locator: str = column("place in the document")
    status: str = column(STATUS_MEANING, isin=STATUSES)
    evidence: str = column(EVIDENCE_MEANING, isin=EVIDENCE)
    saved_unit: str = column("what is saved: latency, usd, samples, calls, ...; premiums in different units do not compare")


class RoutingFigure(_Point):
    """Every transcribed figure on routing and adaptive compute, negative controls and works not found among them."""

    metric: str = column("what was printed; gross: before the controller is paid", isin=METRICS)
    value: float = column("the figure, in the unit its metric names; NULL for a range or none", nullable=True)
    unconditional: float = column("what the unconditional policy uses, in the unit of the figure", gt=0, nullable=True)
    low: float = column("lower end of a printed range or interval", nullable=True)
    high: float = column("upper end of a printed range or interval", nullable=True)
    rounding: float = column("half a unit of the last printed digit", ge=0, nullable=True)
    bound: str = column(BOUND_MEANING, isin=BOUNDS)
    gamma: float = column("controller cost as a share of the unconditional cost, where disclosed", ge=0, nullable=True)
    gamma_basis: str = column("how gamma is known", nullable=True)
    delta: float = column("saving of an oracle at equal quality, where known", ge=0, le=1, nullable=True)
    acceptance: float = column("share of drafted tokens accepted", ge=0, le=1, nullable=True)
    draft_length: pl.Int64 = column("tokens drafted", unit="tokens", ge=1, nullable=True)
    tokens_per_pass: float = column("tokens per target pass, measured", unit="tokens", ge=1, nullable=True)
    draft_cost_ratio: float = column("one draft pass over one target pass, where stated", ge=0, nullable=True)
    n: pl.Int64 = column("items of the measurement, where stated", unit="items", ge=1, nullable=True)
    routed_quality: float = column("share correct of the router", ge=0, le=1, nullable=True)
    random_quality: float = column("share correct of a random choice at the same strong share", ge=0, le=1, nullable=True)
    oracle_quality: float = column("best share correct at the same strong share", ge=0, le=1, nullable=True)
    is_control: bool = column("a negative control: chosen because it might fail")
    note: str = column("what to know first", nullable=True)
    source: str = column("source of the transcription")

    class Config:
        name = "raw.routing_figure"
        unique = ["figure"]


class RoutingPoint(RoutingFigure):
    """The figures that may be used: nothing recalled, and no work that could not be found."""

    status: str = column(STATUS_MEANING, isin=BELIEVED)

    class Config:
        name = "core.routing_point"
        metadata = carried_from("routing_figure")
        unique = ["figure"]


class RoutingCurve(Table):
    """Quality and characters of three policies by share of strong answers, computed once from stored outcomes."""

    system: str = column("system whose outcomes are replayed")
    benchmark: str = column("benchmark of the questions")
    strong_model: str = column("strong model, by its canonical name")
    weak_model: str = column("weak model, by its canonical name")
    n: pl.Int64 = column("questions", unit="questions", ge=1)
    policy: str = column("who chooses the strong model's questions", isin=POLICIES)
    strong_share: float = column("share of questions the strong model answers", ge=0, le=1)
    quality: float = column("share correct", ge=0, le=1)
    strong_input_chars: float = column("characters read by the strong model per question", unit="characters", ge=0)
    strong_output_chars: float = column("characters it wrote; NULL if not recorded", unit="characters", ge=0, nullable=True)
    weak_input_chars: float = column("characters read by the weak model per question", unit="characters", ge=0)
    weak_output_chars: float = column("characters it wrote; NULL if not recorded", unit="characters", ge=0, nullable=True)
    paper_strong_usd_per_mtok: float = column("the paper's own price of the strong model", unit="usd_per_mtok", gt=0)
    paper_weak_usd_per_mtok: float = column("the paper's own price of the weak model", unit="usd_per_mtok", gt=0)
    status: str = column(STATUS_MEANING, isin=BELIEVED)
    version: str = column("document and version")
    locator: str = column("place in the document")
    source: str = column("source of the transcription")

    class Config:
        name = "raw.routing_curve"
        unique = ["benchmark", "policy", "strong_share"]


class RoutingPremium(_Point):
    """Every believed operating point as kappa, Delta, gamma and premium, with what the figure cannot tell as NULL."""

    status: str = column(STATUS_MEANING, isin=BELIEVED)
    kappa: float = column("share of the oracle's saving realised; NULL where only the product is known", nullable=True)
    delta: float = column("saving of an oracle at equal quality; NULL where not known", nullable=True, le=1)
    gamma: float = column("controller cost over the unconditional cost; NULL where not disclosed", nullable=True, ge=0)
    gamma_basis: str = column("how gamma is known", nullable=True)
    gross_saving: float = column("kappa Delta; the gamma at which the premium is 0", nullable=True, le=1)
    premium: float = column(
        "share of the cost saved, net of the controller where its cost is known or inside the figure; of a printed range the "
        "lower end",
        nullable=True,
        lt=1,
        derived_from=("routing_point.value", "routing_point.low", "routing_point.gamma"),
    )
    premium_low: float = column("lower end of the interval", nullable=True)
    premium_high: float = column("upper end of the interval", nullable=True)
    interval_basis: str = column(
        "rounding of the printed figure (no sampling error is disclosed), printed range, or resampled",
        isin=("rounding", "printed_range", "resampled"),
        nullable=True,
    )
    bound: str = column(BOUND_MEANING, isin=BOUNDS)
    sign: str = column(
        "that of the whole interval, of the figure where there is none, or of quality against random; not shown where the "
        "quality of n items is within sampling error of a random choice",
        isin=SIGNS,
    )
    safety_factor: float = column("kappa Delta / gamma; NULL where gamma is 0 or not disclosed", nullable=True)
    elasticity_of_saving: float = column("d ln premium / d ln kappa, and Delta; NULL without gamma", nullable=True)
    elasticity_of_gamma: float = column("d ln premium / d ln gamma; NULL without gamma", nullable=True)
    quality_kappa: float = column("(router - random) / (oracle - random) in quality; below 0: worse than random", nullable=True)
    implied_draft_cost_ratio: float = column(
        "draft cost ratio at which the formula gives the printed speed-up; below 0 it measures no draft", nullable=True
    )
    implied_low: float = column("least ratio that rounding of acceptance and speed-up allows", nullable=True)
    implied_high: float = column("greatest ratio that rounding allows", nullable=True)
    is_control: bool = column("a negative control: chosen because it might fail")
    note: str = column("what to know first", nullable=True)

    class Config:
        name = "marts.routing_premium"
        metadata = carried_from("routing_point")
        unique = ["figure"]


class RoutingFragility(Table):
    """What is left of each premium when its figure was disclosed too well, by 10, 25 and 50 percent."""

    figure: str = column("name of the operating point")
    system: str = column("system that was measured")
    pattern: str = column("class of conditional compute", isin=PATTERNS)
    overstatement: float = column("share by which the disclosed figure is too good", isin=OVERSTATEMENTS)
    premium: float = column("premium as disclosed", derived_from=("routing_premium.premium",))
    premium_if_saving_overstated: float = column(
        "kappa Delta / (1 + error) - gamma; NULL where gamma is not disclosed", nullable=True
    )
    fails_if_saving_overstated: bool = column("that premium is 0 or less; NULL where gamma is not disclosed", nullable=True)
    premium_if_cost_understated: float = column("1 - (1 + error)(1 - premium): the routed cost is that much higher")
    fails_if_cost_understated: bool = column("that premium is 0 or less")

    class Config:
        name = "marts.routing_fragility"
        metadata = carried_from("routing_premium")
        unique = ["figure", "overstatement"]


class RoutingPatternSummary(Table):
    """Each class of conditional compute: how many points, how many negative, how far they reach, how many are fragile."""

    pattern: str = column("class of conditional compute", isin=PATTERNS, unique=True)
    points: pl.Int64 = column("operating points with a premium or a sign", unit="points", ge=0)
    systems: pl.Int64 = column("systems among them", unit="systems", ge=0)
    not_testable: pl.Int64 = column("works cited for the class that could not be found", unit="works", ge=0)
    positive: pl.Int64 = column("points whose interval is above 0", unit="points", ge=0)
    negative: pl.Int64 = column("points below 0, or worse than random", unit="points", ge=0)
    all_positive: bool = column("no point is negative or not shown; NULL without points", nullable=True)
    controller_known: pl.Int64 = column("points whose controller cost is disclosed or solved for", unit="points", ge=0)
    out_of_sample: pl.Int64 = column("points judged on items that nothing was chosen on", unit="points", ge=0)
    premium_median: float = column("median premium, over whatever units", nullable=True)
    premium_min: float = column("least premium", nullable=True)
    premium_max: float = column("greatest premium", nullable=True)
    safety_factor_min: float = column("least safety factor where known", nullable=True)
    fail_at_10_percent: pl.Int64 = column("positive points that fail if cost is understated by 10 %", unit="points", ge=0)
    fail_at_25_percent: pl.Int64 = column("positive points that fail if cost is understated by 25 %", unit="points", ge=0)
    fail_at_50_percent: pl.Int64 = column("positive points that fail if cost is understated by 50 %", unit="points", ge=0)

    class Config:
        name = "marts.routing_pattern_summary"
        metadata = carried_from("routing_figure", "routing_fragility", "routing_premium")


class RouterReplay(Table):
    """Stored routing curves priced at the paper's prices and at every price since that both models had.

    Characters stand for tokens, alike for both models, so costs are shares of the strong model for all, never dollars.
    """

    system: str = column("system whose outcomes are replayed")
    version: str = column("document and version")
    locator: str = column("place in the document")
    benchmark: str = column("benchmark of the questions")
    strong_model: str = column("strong model")
    weak_model: str = column("weak model")
    policy: str = column("who chooses the strong model's questions", isin=POLICIES)
    strong_share: float = column("share of questions the strong model answers", ge=0, le=1)
    n: pl.Int64 = column("questions", unit="questions", ge=1)
    quality: float = column("share correct", ge=0, le=1)
    quality_low: float = column(
        "lower end of its 95 % Wilson interval over questions", ge=0, le=1, derived_from=("routing_curve.quality",)
    )
    quality_high: float = column("upper end of that interval", ge=0, le=1, derived_from=("routing_curve.quality",))
    priced_by: str = column("paper: its own blended prices; warehouse: list prices", isin=("paper", "warehouse"))
    as_of: pl.Date = column("first day of these prices; NULL for the paper's", nullable=True)
    priced_legs: str = column("input_and_output, or input where answers are not recorded", isin=("input_and_output", "input"))
    strong_input_usd_per_mtok: float = column("input price of the strong model", unit="usd_per_mtok", gt=0)
    strong_output_usd_per_mtok: float = column("output price of the strong model", unit="usd_per_mtok", gt=0)
    weak_input_usd_per_mtok: float = column("input price of the weak model", unit="usd_per_mtok", gt=0)
    weak_output_usd_per_mtok: float = column("output price of the weak model", unit="usd_per_mtok", gt=0)
    cost_share: float = column("cost over that of the strong model for all", gt=0)
    random_cost_share: float = column("the same of the random mix of equal quality", gt=0)
    premium: float = column("1 - cost over the cost of that random mix; the controller is free", lt=1)

    class Config:
        name = "marts.router_replay"
        metadata = carried_from("routing_curve")

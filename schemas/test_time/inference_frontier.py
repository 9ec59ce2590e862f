"""Contracts of where the next dollar goes: the surface of coverage, its elasticities, and three forms of the condition."""

import polars as pl

from schemas.base import Table, carried_from, column
from schemas.status import BELIEVED, STATUS_MEANING

VERDICTS = ("inference", "training")
TRAINING_PAIRINGS = ("own_checkpoints", "same_lineage", "another_system")
ETA_LIMIT = 1.0 + 1e-6
"""Elasticities of coverage are at most 1; the figures have six digits."""


class PythiaSurfaceFigure(Table):
    """Coverage of Pythia checkpoints by training tokens and samples, derived from released outcomes of each problem."""

    benchmark: str = column("gsm8k or math", isin=("gsm8k", "math"))
    system: str = column("model, without its checkpoint")
    params: pl.Int64 = column("parameters", gt=0)
    train_tokens: pl.Int64 = column("tokens the checkpoint was trained on", unit="tokens", gt=0)
    samples: pl.Int64 = column("samples per problem", unit="samples", ge=1)
    coverage: float = column("share of problems that some sample solves, to six decimals", ge=0, le=1)
    n: pl.Int64 = column("problems", unit="questions", ge=1)
    eta_samples_printed: float = column("arc elasticity of coverage in samples, from the last smaller number", nullable=True)
    eta_training_printed: float = column(
        "arc elasticity of coverage in training tokens, from the last smaller number", nullable=True
    )
    eta_samples_low: float = column("lower end of its paired 95 % bootstrap interval over problems", nullable=True)
    eta_samples_high: float = column("upper end of that interval", nullable=True)
    eta_training_low: float = column("lower end of the paired 95 % bootstrap interval over problems", nullable=True)
    eta_training_high: float = column("upper end of that interval", nullable=True)
    source: str = column("source of the transcription")

    class Config:
        name = "raw.pythia_surface_figure"
        unique = ["benchmark", "system", "train_tokens", "samples"]


class CoveragePoint(Table):
    """Coverage of each checkpoint and number of samples with its interval over problems."""

    benchmark: str = column("gsm8k or math")
    system: str = column("model, without its checkpoint")
    params: pl.Int64 = column("parameters")
    train_tokens: pl.Int64 = column("tokens the checkpoint was trained on", unit="tokens")
    samples: pl.Int64 = column("samples per problem", unit="samples")
    n: pl.Int64 = column("problems", unit="questions")
    coverage: float = column("share of problems that some sample solves", ge=0, le=1)
    coverage_low: float = column("lower end of the 95 % Wilson interval over problems", ge=0, le=1)
    coverage_high: float = column("upper end of the 95 % Wilson interval over problems", ge=0, le=1)
    eta_samples: float = column(
        "arc elasticity of coverage in samples, from the last smaller number, before rounding",
        nullable=True,
        ge=0,
        le=ETA_LIMIT,
        derived_from=("pythia_surface_figure.eta_samples_printed",),
    )
    eta_training: float = column(
        "arc elasticity of coverage in training tokens, from the last smaller number, before rounding",
        nullable=True,
        derived_from=("pythia_surface_figure.eta_training_printed",),
    )
    eta_samples_low: float = column("lower end of its paired bootstrap interval; NULL where no outcome was read", nullable=True)
    eta_samples_high: float = column("upper end of that interval", nullable=True)
    eta_training_low: float = column(
        "lower end of the paired bootstrap interval; NULL where no outcome was read", nullable=True
    )
    eta_training_high: float = column("upper end of that interval", nullable=True)

    class Config:
        name = "core.coverage_point"
        metadata = carried_from("pythia_surface_figure")
        unique = ["benchmark", "system", "train_tokens", "samples"]


class AlphaSurface(Table):
    """Coverage over training tokens and samples on 128 problems, with both elasticities: the one public alpha(T, N)."""

    benchmark: str = column("gsm8k or math")
    system: str = column("model, without its checkpoint")
    params: pl.Int64 = column("parameters")
    train_tokens: pl.Int64 = column("tokens the checkpoint was trained on", unit="tokens")
    samples: pl.Int64 = column("samples per problem", unit="samples")
    n: pl.Int64 = column("problems", unit="questions")
    coverage: float = column("share of problems that some sample solves", ge=0, le=1)
    coverage_low: float = column("lower end of the 95 % Wilson interval over problems", ge=0, le=1)
    coverage_high: float = column("upper end of the 95 % Wilson interval over problems", ge=0, le=1)
    samples_from: pl.Int64 = column("last smaller number of samples on the grid", unit="samples", nullable=True)
    coverage_from: float = column("coverage there", nullable=True, ge=0, le=1)
    eta_samples: float = column(
        "arc elasticity of coverage in samples; at most 1 for independent samples and a perfect verifier",
        nullable=True,
        ge=0,
        le=ETA_LIMIT,
    )
    eta_samples_low: float = column(
        "lower end of its 95 % interval", nullable=True, ge=0, derived_from=("coverage_point.eta_samples_low",)
    )
    eta_samples_high: float = column(
        "upper end of that interval", nullable=True, le=ETA_LIMIT, derived_from=("coverage_point.eta_samples_high",)
    )
    eta_samples_interval: str = column(
        "paired: bootstrap over problems, the same at both ends; independent: both shares taken as independent, wider, "
        "within the 0 to 1 that independent samples allow",
        nullable=True,
        isin=("paired", "independent"),
    )
    train_tokens_from: pl.Int64 = column("last smaller number of training tokens", unit="tokens", nullable=True)
    coverage_from_training: float = column("coverage there, at these samples", nullable=True, ge=0, le=1)
    eta_training: float = column("arc elasticity of coverage in training tokens at these samples", nullable=True)
    eta_training_low: float = column("lower end of its 95 % interval", nullable=True)
    eta_training_high: float = column("upper end of that interval", nullable=True)

    class Config:
        name = "marts.alpha_surface"
        metadata = carried_from("coverage_point")
        unique = ["benchmark", "system", "train_tokens", "samples"]


class InferenceFrontier(Table):
    """Per arc of a calibration curve and inference:training dollar ratio: three forms of the condition side by side.

    The dollar ratio is a scenario, as no source tells a model's lifetime inference dollars; the ratio at which the verdict
    turns is given beside it. Where no training arc was measured on the benchmark there is no verdict.
    """

    paper: str = column("document or leaderboard of the curve", derived_from=("test_time_figure.paper",))
    benchmark: str = column(
        "benchmark",
        derived_from=(
            "alpha_surface.benchmark",
            "test_time_figure.benchmark",
        ),
    )
    system: str = column(
        "system; for checkpoints with its training tokens",
        derived_from=(
            "alpha_surface.system",
            "test_time_figure.system",
        ),
    )
    curve: str = column("curve or run", derived_from=("test_time_figure.curve",))
    status: str = column(STATUS_MEANING, isin=BELIEVED)
    n: pl.Int64 = column("questions", unit="questions", ge=1)
    samples_from: pl.Int64 = column("samples at the start of the arc", unit="samples", ge=1)
    samples_to: pl.Int64 = column("samples at its end", unit="samples", ge=1)
    attempts_to: float = column(
        "mean attempts of a question at its end: samples_to, or 2 - accuracy_from where a second try runs only after a failure",
        unit="samples",
        ge=1,
    )
    accuracy_from: float = column("share answered at the start", gt=0, le=1)
    accuracy_to: float = column("share answered at the end", gt=0, le=1)
    accuracy_to_low: float = column("lower end of the 95 % Wilson interval of accuracy_to", ge=0, le=1)
    accuracy_to_high: float = column("upper end of the 95 % Wilson interval of accuracy_to", ge=0, le=1)
    eta_samples: float = column(
        "arc elasticity of accuracy in attempts, up to attempts_to",
        derived_from=(
            "alpha_surface.eta_samples",
            "test_time_figure.value",
        ),
    )
    eta_by_nominal_samples: float = column("the same as published: up to samples_to, as if every question took them all")
    eta_samples_low: float = column("lower end of its 95 % interval, both shares taken as independent")
    eta_samples_high: float = column("upper end of that interval")
    more_samples_lower_cost: bool = column("eta_samples above 1: more samples lower the cost per correct answer by themselves")
    training_pairing: str = column(
        "where eta_training is from; another_system: the step from V3 to R1 on the same benchmark, a loan",
        isin=TRAINING_PAIRINGS,
        nullable=True,
    )
    eta_training: float = column(
        "arc elasticity of accuracy in training; NULL where none was measured",
        nullable=True,
        derived_from=("alpha_surface.eta_training",),
    )
    eta_training_low: float = column("lower end of its 95 % interval", nullable=True)
    eta_training_high: float = column("upper end of its 95 % interval", nullable=True)
    dollar_ratio: float = column("scenario: lifetime inference dollars over training dollars", nullable=True, gt=0)
    variable_share: float = column(
        "scenario for the shared-cost form: share of a question's bill that grows with samples", nullable=True
    )
    published_verdict: str = column("(eta_N - 1) / eta_T > ratio, as published", isin=VERDICTS, nullable=True)
    published_margin: float = column("left side less ratio; NULL where training does not help", nullable=True)
    published_flipping_eta_samples: float = column("eta_samples at which the verdict turns", nullable=True)
    lagrangian_verdict: str = column("eta_N / eta_T > ratio", isin=VERDICTS, nullable=True)
    lagrangian_margin: float = column("left side less ratio; NULL where training does not help", nullable=True)
    lagrangian_flipping_dollar_ratio: float = column(
        "ratio at which the verdict turns: inference below it; NULL where training does not help", nullable=True
    )
    lagrangian_certain: bool = column(
        "both ends of both intervals give the same verdict; NULL where an interval is not known", nullable=True
    )
    shared_cost_verdict: str = column("(eta_N - s) / eta_T > s ratio", isin=VERDICTS, nullable=True)
    shared_cost_margin: float = column("left side less s ratio; NULL where training does not help", nullable=True)
    shared_cost_flipping_variable_share: float = column(
        "variable share at which the verdict turns: inference below it; NULL where training does not help",
        nullable=True,
    )
    training_usd: float = column(
        "training cost as printed, at $2 per H800-hour; of the lineage measured only", unit="usd", nullable=True, gt=0
    )
    output_usd_per_mtok: float = column(
        "price of the model's output tokens today",
        unit="usd_per_mtok",
        nullable=True,
        gt=0,
        derived_from=("llm_price_current.usd_per_mtok",),
    )
    flipping_output_mtok: float = column(
        "output tokens sold over its life at which the Lagrangian verdict turns, at today's price",
        unit="mtok",
        nullable=True,
    )
    as_of: pl.Date = column("day of the prices")

    class Config:
        name = "marts.inference_frontier"
        metadata = carried_from("alpha_surface", "test_time_figure")
        unique = ["paper", "benchmark", "system", "curve", "samples_from", "samples_to", "dollar_ratio"]


class HarvestedSlack(Table):
    """Rollouts on idle serving GPUs: their price, what it does to both dollar terms, and the threshold before and after.

    Cheaper rollouts in training shrink training dollars and leave inference less room; cheaper rollouts at test time do the
    reverse. Idle is priced at its floor of energy and SLO risk, never at zero.
    """

    figure: str = column("throughput gain within its document", derived_from=("test_time_figure.figure",))
    version: str = column("document and version, which print different gains", derived_from=("test_time_figure.version",))
    status: str = column(STATUS_MEANING, isin=BELIEVED)
    against: str = column("what the gain was measured against", derived_from=("test_time_figure.note",))
    gain_of: str = column(
        "whose hours the gain shortens: whole_step: training steps with all that is in them; rollouts: rollouts alone",
        isin=("whole_step", "rollouts"),
    )
    throughput_gain: float = column(
        "throughput over the baseline, of what gain_of says", ge=1, derived_from=("test_time_figure.value",)
    )
    channel: str = column("where the harvested rollouts are used", isin=("training", "test_time"))
    rollout_share: float = column("share of that channel's dollars that the gain applies to", gt=0, le=1)
    rollout_share_basis: str = column(
        "printed: all that the step from V3 to R1 cost, over V3 and R1; scenario: all of the channel",
        isin=("printed", "scenario"),
    )
    gpu: str = column("GPU that training and rollouts are priced on", derived_from=("gpu_price.gpu",))
    dedicated_usd_per_gpu_hour: float = column(
        "rent", unit="usd_per_gpu_hour", gt=0, derived_from=("gpu_price.usd_per_gpu_hour",)
    )
    energy_usd_per_gpu_hour: float = column(
        "energy the rollouts add: full board power of an H100, an upper bound, at $0.08 per kWh and a facility factor of 1.3",
        unit="usd_per_gpu_hour",
        gt=0,
        derived_from=("gpu.tdp_w",),
    )
    slo_risk_usd_per_gpu_hour: float = column(
        "scenario: one breach in 1,000 GPU-hours costs an hour of eight GPUs", unit="usd_per_gpu_hour", ge=0
    )
    idle_usd_per_gpu_hour: float = column("floor of the idle price: energy and risk", unit="usd_per_gpu_hour", gt=0)
    flipping_slo_risk_usd_per_gpu_hour: float = column(
        "SLO risk at which an idle hour costs what a dedicated one does", unit="usd_per_gpu_hour"
    )
    idle_share: float = column("share of GPU-hours on idle GPUs that explains the gain: 1 - 1 / gain", ge=0, lt=1)
    rollout_usd_per_gpu_hour: float = column("price of a GPU-hour of what gain_of says", unit="usd_per_gpu_hour", gt=0)
    rollout_cost_factor: float = column("cost of it after over before", gt=0)
    free_rollout_cost_factor: float = column("the same if idle GPUs were free: 1 / gain, a bound", gt=0)
    training_factor: float = column("training dollars after over before", gt=0, le=1)
    inference_factor: float = column("inference dollars after over before", gt=0, le=1)
    training_usd: float = column("training dollars before, as printed", unit="usd", gt=0)
    training_usd_after: float = column("training dollars after", unit="usd", gt=0)
    inference_usd_at_threshold: float = column("lifetime inference dollars at which the verdict turns, before", unit="usd")
    inference_usd_at_threshold_after: float = column("the same after, in dollars at prices without harvest", unit="usd")
    benchmark: str = column("benchmark of the calibration arc")
    system: str = column("system of the calibration arc")
    n: pl.Int64 = column("questions of the arc", unit="questions", ge=1)
    threshold: float = column("Lagrangian form: ratio of dollars at which the verdict turns, before")
    threshold_low: float = column("least over the ends of both elasticities' intervals", nullable=True)
    threshold_high: float = column("greatest over the ends of both elasticities' intervals", nullable=True)
    threshold_after: float = column("after, in dollars at prices without harvest")
    published_threshold: float = column("published form, before; below 0 no ratio favours inference")
    published_threshold_after: float = column("published form, after")
    favours: str = column("channel that gains room", isin=("inference", "training"))
    as_of: pl.Date = column("day of the rent")

    class Config:
        name = "marts.harvested_slack"
        metadata = carried_from("inference_frontier", "test_time_figure")
        unique = ["figure", "channel", "rollout_share_basis", "benchmark", "system"]

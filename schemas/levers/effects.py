"""Contracts of the levers: what each changes at an operating point, published anchors, energy, and edge devices."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, carried_from, column
from schemas.status import BELIEVED, STATUS_MEANING

LEVERS = (
    "edge_silicon",
    "batching",
    "prefix_caching",
    "awq",
    "fp8",
    "fp4",
    "ssm_hybrid",
    "speculative_decoding",
    "clock_lock",
    "harvested_slack",
)
"""In the order in which they are applied together."""
ARCHITECTURES = ("unchunked", "chunked", "disaggregated")
LEVER_MEANING = (
    "edge_silicon: the same work on a consumer GPU of one's own; batching: more sequences decoded together; prefix_caching: "
    "KV of shared prompt prefixes is kept; awq: 4-bit weights, 16-bit arithmetic; fp8, fp4: weights and arithmetic at fewer "
    "bits; ssm_hybrid: state-space layers instead of most attention; speculative_decoding: a draft, verified in one step; "
    "clock_lock: SM clock below its peak; harvested_slack: work that can wait runs on idle serving GPUs"
)
PREDICTIONS = ("point", "upper_bound", "assumed", "none")
OFF = 0.25
"""Size of an error from which an anchor has to say why."""
API_BASES = ("cheapest_host", "median_of_hosts")


class LeverEffect(Table):
    """What a lever, two levers or a stack of them changes at each operating point: cost by term, batch, energy, interaction.

    All figures are predictions of the closed forms at the stated parameters; `marts.lever_anchor` holds them against what
    was published. levers = 'none' is the operating point itself. NULL: cannot be applied there, breaks the contract, or is
    not known.
    """

    operating_point: str = column("short name of the operating point")
    levers: str = column("levers applied together, joined by +; none for the point as it stands. " + LEVER_MEANING)
    n_levers: pl.Int64 = column("levers applied together", ge=0)
    meaning: str = column("the operating point in words")
    gpu: str = column("canonical GPU of the point; edge_silicon replaces it")
    model: str = column("model that is served")
    replica_gpus: pl.Int64 = column("GPUs of a replica", unit="GPUs", ge=1)
    architecture: str = column("how prefill and decode share GPUs", isin=ARCHITECTURES)
    input_tokens: float = column("prompt of a request", unit="tokens", gt=0)
    output_tokens: float = column("answer of a request", unit="tokens", gt=0)
    ttft_s: float = column("bound on the time to first token, p99", unit="s", gt=0)
    tpot_s: float = column("bound on the time per output token, p99", unit="s", gt=0)
    gpu_usd_per_hour: float = column(
        "rent of a GPU today", unit="usd_per_gpu_hour", gt=0, derived_from=("gpu_price.usd_per_gpu_hour",)
    )
    parameters: str = column("parameters of the levers", nullable=True)
    parameter_basis: str = column("where the parameters come from", nullable=True)
    obstacle: str = column("why it has no effect or no figure here; NULL if it has both", nullable=True)
    feasible: pl.Boolean = column("whether the contract is met; NULL where it cannot be applied", nullable=True)
    batch: float = column("sequences that decode together", unit="sequences", nullable=True, gt=0)
    prefill_usd_per_mtok: float = column(
        "prefill term, per million SLO-compliant output tokens", unit="usd_per_mtok", nullable=True, ge=0
    )
    decode_usd_per_mtok: float = column("decode term", unit="usd_per_mtok", nullable=True, ge=0)
    kv_tax_usd_per_mtok: float = column("KV transfer term", unit="usd_per_mtok", nullable=True, ge=0)
    overlap_usd_per_mtok: float = column(
        "what running prefill and decode side by side saves; zero or below", unit="usd_per_mtok", nullable=True
    )
    attainment_usd_per_mtok: float = column("what tokens outside their contract add", unit="usd_per_mtok", nullable=True, ge=0)
    usd_per_mtok: float = column("sum: cost of a million SLO-compliant output tokens", unit="usd_per_mtok", nullable=True, gt=0)
    prefill_change_usd_per_mtok: float = column("prefill term after less before", unit="usd_per_mtok", nullable=True)
    decode_change_usd_per_mtok: float = column("decode term after less before", unit="usd_per_mtok", nullable=True)
    kv_tax_change_usd_per_mtok: float = column("KV transfer term after less before", unit="usd_per_mtok", nullable=True)
    attainment_change_usd_per_mtok: float = column("attainment term after less before", unit="usd_per_mtok", nullable=True)
    usd_ratio: float = column("cost of an SLO-compliant token after over before", nullable=True, gt=0)
    usd_per_correct: float = column(
        "cost of a correct answer, one sample, no verifier; NULL where the share of correct answers was never measured",
        unit="usd",
        nullable=True,
        gt=0,
        derived_from=("cited_figure.value",),
    )
    usd_per_correct_ratio: float = column(
        "cost of a correct answer after over before; NULL where nobody measured what the lever does to answers",
        nullable=True,
        gt=0,
    )
    joules_per_token: float = column(
        "GPU energy of an SLO-compliant output token, its share of prefill included",
        unit="J_per_token",
        nullable=True,
        gt=0,
    )
    joules_ratio: float = column("energy of a token after over before", nullable=True, gt=0)
    product_usd_ratio: float = column(
        "product of the cost ratios of the levers applied alone; NULL for fewer than two", nullable=True, gt=0
    )
    usd_interaction: float = column(
        "cost ratio over that product: 1 they do not meet, below 1 they help each other, above 1 they save the same cost twice",
        nullable=True,
        gt=0,
    )
    joules_interaction: float = column("the same for energy", nullable=True, gt=0)
    anchors: pl.Int64 = column("published gains of the lever that have a prediction; single levers only", nullable=True, ge=0)
    anchor_gain_low: float = column(
        "smallest published gain among them", nullable=True, gt=0, derived_from=("lever_anchor.published_gain",)
    )
    anchor_gain_high: float = column(
        "largest published gain among them", nullable=True, gt=0, derived_from=("lever_anchor.published_gain",)
    )
    anchor_median_error: float = column(
        "median error of our predictions of them; above 0 the closed forms promise too much",
        nullable=True,
        derived_from=("lever_anchor.error",),
    )
    anchor_median_absolute_error: float = column(
        "median size of the error", nullable=True, ge=0, derived_from=("lever_anchor.error",)
    )
    as_of: pl.Date = column("day the rents are of")

    @pa.dataframe_check(description="the terms add up to the cost")
    def terms_add_up(cls, data: pa.PolarsData) -> pl.LazyFrame:
        terms = ("prefill", "decode", "kv_tax", "overlap", "attainment")
        total = pl.sum_horizontal(f"{name}_usd_per_mtok" for name in terms)
        return data.lazyframe.select(((total / pl.col("usd_per_mtok") - 1.0).abs() < 1e-9).fill_null(True))

    class Config:
        name = "marts.lever_effects"
        unique = ["operating_point", "levers"]


class LeverAnchor(Table):
    """Each published effect of a lever beside what the closed forms predict under its conditions, and the error.

    A gain is the factor by which the quantity improves: above 1 is better. No prediction where the conditions are not told.
    """

    lever: str = column(LEVER_MEANING, isin=LEVERS)
    paper: str = column("document, as in core.cited_figure, or routing_operating_points")
    figure: str = column("name of the figure within the document")
    version: str = column("version of the document")
    locator: str = column("place of the figure")
    status: str = column(STATUS_MEANING, isin=BELIEVED)
    system: str = column("system or device that was measured", nullable=True)
    baseline: str = column("what it is compared with", nullable=True)
    model: str = column("model", nullable=True)
    gpu: str = column("canonical GPU", nullable=True)
    condition: str = column("setting of the figure", nullable=True)
    quantity: str = column("what improves")
    published_gain: float = column(
        "published gain; NULL where only a range is given",
        nullable=True,
        gt=0,
        derived_from=("cited_figure.value", "routing_point.value"),
    )
    published_low: float = column("lower end of a published range", nullable=True, gt=0)
    published_high: float = column("upper end of a published range", nullable=True, gt=0)
    predicted_gain: float = column("gain by the closed forms; NULL where the conditions are not told", nullable=True, gt=0)
    error: float = column(
        "predicted over published gain less 1; above 0 the closed form promises too much", nullable=True, gt=-1
    )
    prediction: str = column(
        "point: what the closed form expects; upper_bound: what it expects if nothing else takes time; assumed: it rests on a "
        "parameter nobody tells, so that the error is no test; none: not told enough",
        isin=PREDICTIONS,
    )
    in_sample: pl.Boolean = column("whether the figure also set the parameters, so that the error is no test")
    predicted_how: str = column("what the prediction rests on, or why there is none")
    off_reason: str = column("why the prediction is off by more than a quarter; NULL where it is not", nullable=True)
    implied_parameter: str = column("parameter that the figure implies", nullable=True)
    implied_value: float = column("its value", nullable=True)
    note: str = column("what to know first", nullable=True)

    @pa.dataframe_check(description="there is a predicted gain exactly where a prediction is claimed")
    def predicted_where_claimed(cls, data: pa.PolarsData) -> pl.LazyFrame:
        claimed = pl.col("prediction") != "none"
        return data.lazyframe.select(claimed == pl.col("predicted_gain").is_not_null())

    @pa.dataframe_check(description="an anchor that is off by more than a quarter says why")
    def off_says_why(cls, data: pa.PolarsData) -> pl.LazyFrame:
        is_off = (pl.col("error").abs() > OFF).fill_null(value=False)
        return data.lazyframe.select(is_off == pl.col("off_reason").is_not_null())

    class Config:
        name = "marts.lever_anchor"
        metadata = carried_from("cited_figure", "gpu", "model_shape", "routing_point")
        unique = ["lever", "paper", "figure", "quantity"]


class EnergyPerToken(Table):
    """Energy of a decoded token by GPU, model, batch and SM clock: against the rent, and for a site whose power is short.

    Steps take what the fit says. Decode draws a share of the power limit while it waits for memory, and the limit while it
    computes: lower, the least that is published (137 of the 700 W of an H200); upper, as measured in steps of one H100 and
    one H200, the middle of both shares on other GPUs. GPUs only: hosts, network and prefill come on top.
    """

    gpu: str = column("canonical GPU")
    model: str = column("model that is served", derived_from=("model_shape.model",))
    batch: pl.Int64 = column("sequences that decode together", unit="sequences", ge=1)
    clock_ratio: float = column("SM clock over its peak", gt=0, le=1)
    replica_gpus: pl.Int64 = column("GPUs of a replica", unit="GPUs", ge=1)
    context_tokens: float = column("mean length of a running sequence", unit="tokens", gt=0)
    limit_w: float = column("power limit of a GPU", unit="W", gt=0, derived_from=("gpu.tdp_w",))
    tokens_per_s: float = column("output tokens of a replica", unit="tokens_per_s", gt=0)
    throughput_ratio: float = column("throughput over that at peak clock", gt=0, le=1)
    compute_bound: pl.Boolean = column("whether arithmetic and not memory sets the step at this clock")
    low_w: float = column("mean draw of a GPU at the lower published draw", unit="W", gt=0, derived_from=("cited_figure.low",))
    high_w: float = column("mean draw of a GPU at the measured draw", unit="W", gt=0, derived_from=("measured_step.power_w",))
    low_joules_per_token: float = column("energy at the lower draw", unit="J_per_token", gt=0)
    high_joules_per_token: float = column("energy at the measured draw", unit="J_per_token", gt=0)
    joules_ratio: float = column("energy at the measured draw over that at peak clock", gt=0)
    high_electricity_usd_per_mtok: float = column(
        "electricity of a million tokens at the measured draw, 0.08 $/kWh, PUE 1.3", unit="usd_per_mtok", gt=0
    )
    gpu_usd_per_hour: float = column(
        "rent of a GPU today", unit="usd_per_gpu_hour", gt=0, derived_from=("gpu_price.usd_per_gpu_hour",)
    )
    rent_usd_per_mtok: float = column("rent of a million tokens", unit="usd_per_mtok", gt=0)
    low_share_of_rent: float = column("electricity over rent at the lower draw", gt=0)
    high_share_of_rent: float = column("electricity over rent at the measured draw", gt=0)
    saved_share_of_rent: float = column("electricity saved by the clock, at the measured draw, over the rent at peak clock")
    site_tokens_per_s_per_mw: float = column(
        "tokens a second per megawatt of site power at the measured draw, PUE 1.3", unit="tokens_per_s", gt=0
    )
    site_tokens_ratio: float = column("the same over that at peak clock: what the clock is worth where power is short", gt=0)
    gpus_per_mw_at_limit: float = column("GPUs a megawatt feeds if each may draw its limit", unit="GPUs", gt=0)
    gpus_per_mw_at_draw: float = column("GPUs a megawatt feeds at the measured draw", unit="GPUs", gt=0)
    published_joules_per_token: float = column(
        "measured energy of the same model, GPU and batch; NULL if none",
        unit="J_per_token",
        nullable=True,
        gt=0,
        derived_from=("cited_figure.value",),
    )
    low_error: float = column("energy at the lower draw over the measured one, less 1", nullable=True)
    high_error: float = column("energy at the measured draw over the measured one, less 1", nullable=True)
    step_w: float = column(
        "draw of one GPU in a decode step measured alone: same GPU, model, batch and context, no clock set; NULL if none",
        unit="W",
        nullable=True,
        gt=0,
        derived_from=("measured_step.power_w",),
    )
    step_joules_per_token: float = column(
        "energy of a token in that step", unit="J_per_token", nullable=True, gt=0, derived_from=("measured_step.energy_j",)
    )
    step_error: float = column("energy at the measured draw over that of the measured step, less 1", nullable=True)
    implied_memory_w: float = column(
        "draw while waiting for memory that would explain the measured energy", unit="W", nullable=True
    )

    class Config:
        name = "marts.energy_per_token"
        metadata = carried_from("gpu", "gpu_price")
        unique = ["gpu", "model", "batch", "clock_ratio"]


class EdgeDevice(Table):
    """Edge devices with what a model decodes on them at most, beside what was measured: one sequence, 4-bit weights."""

    device: str = column("device")
    model: str = column("model, weights at 4 bits", derived_from=("cited_figure.model",))
    device_usd: float = column("price of the device; NULL if not recorded", unit="usd", nullable=True, gt=0)
    power_w: float = column("power, upper end of the range; NULL if not recorded", unit="W", nullable=True, gt=0)
    low_power_w: float = column("lower end of the range", unit="W", nullable=True, gt=0)
    memory_bytes_per_s: float = column("memory bandwidth; NULL if not recorded", unit="bytes_per_s", nullable=True, gt=0)
    memory_bytes: float = column("memory; NULL if not recorded", unit="bytes", nullable=True, gt=0)
    weight_bytes: float = column("weights at 4 bits", unit="bytes", gt=0, derived_from=("model_shape.parameters",))
    kv_bytes: float = column(
        "KV read per token at a context of 1,024 tokens",
        unit="bytes",
        gt=0,
        derived_from=("model_shape.kv_bytes_per_token",),
    )
    fits: pl.Boolean = column("whether weights and KV fit; NULL where the memory is not recorded", nullable=True)
    ceiling_tokens_per_s: float = column("bandwidth over weight and KV bytes", unit="tokens_per_s", nullable=True, gt=0)
    measured_low_tokens_per_s: float = column("measured rate, lower end", unit="tokens_per_s", nullable=True, gt=0)
    measured_high_tokens_per_s: float = column("measured rate, upper end", unit="tokens_per_s", nullable=True, gt=0)
    measured_share_of_ceiling: float = column("upper measured rate over the ceiling", nullable=True, gt=0)
    plausible: pl.Boolean = column(
        "whether the measured rate is below the ceiling: above it, a rate of a dense model is wrong or speculative",
        nullable=True,
    )
    ceiling_joules_per_token: float = column("upper power over the ceiling rate", unit="J_per_token", nullable=True, gt=0)
    status: str = column(STATUS_MEANING + "; of the device's specification", isin=BELIEVED)
    locator: str = column("places of the specification")

    class Config:
        name = "core.edge_device"
        unique = ["device", "model"]


class EdgeEconomics(Table):
    """A million tokens on a device of one's own against the cheapest API price, by use and electricity price.

    Three years of life, no resale. The device is credited with 80 % of its ceiling rate, and its prefill is taken as free, so
    the table leans towards the device. Devices without a recorded price or power are in core.edge_device only.
    """

    device: str = column("device")
    model: str = column("model, weights at 4 bits")
    utilisation: float = column("share of its life the device decodes", gt=0, le=1)
    usd_per_kwh: float = column("electricity price", unit="usd_per_kwh", ge=0)
    sequences: pl.Int64 = column("sequences the device decodes together", unit="sequences", ge=1)
    tokens_per_s: float = column("output tokens: 80 % of the bandwidth ceiling", unit="tokens_per_s", gt=0)
    amortised_usd_per_mtok: float = column(
        "price of the device", unit="usd_per_mtok", gt=0, derived_from=("edge_device.device_usd",)
    )
    electricity_usd_per_mtok: float = column("electricity", unit="usd_per_mtok", ge=0, derived_from=("edge_device.power_w",))
    usd_per_mtok: float = column("both", unit="usd_per_mtok", gt=0, derived_from=("llm_price_current.usd_per_mtok",))
    api_output_usd_per_mtok: float = column(
        "list price of output tokens at the API",
        unit="usd_per_mtok",
        nullable=True,
        gt=0,
        derived_from=("llm_price_current.usd_per_mtok",),
    )
    api_usd_per_mtok: float = column(
        "output price and three input tokens each: what an output token costs with its prompt",
        unit="usd_per_mtok",
        nullable=True,
        gt=0,
        derived_from=("llm_price_current.usd_per_mtok",),
    )
    api_basis: str = column("which seller", isin=API_BASES)
    api_hosts: pl.Int64 = column("sellers of the model", nullable=True, ge=1)
    usd_over_api: float = column("cost on the device over cost at the API", nullable=True, gt=0)
    break_even_utilisation: float = column(
        "share of its life the device must be in use to cost no more; NULL where even always is dearer, or no API sells it",
        nullable=True,
        gt=0,
        le=1,
    )
    never: pl.Boolean = column("whether even a device that is always in use costs more than the API", nullable=True)
    as_of: pl.Date = column("day the API price is of")

    class Config:
        name = "marts.edge_economics"
        metadata = carried_from("edge_device")
        unique = ["device", "model", "utilisation", "usd_per_kwh", "sequences", "api_basis"]

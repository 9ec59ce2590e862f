"""Contracts of published figures: as printed, hardware and model shapes, one common frame, and what does not add up."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, carried_from, column
from schemas.prices.gpu_rents import TERMS
from schemas.serving.benchmark_outputs import TPOT_DEFINITIONS
from schemas.status import BELIEVED, STATUS_MEANING, STATUSES

RATIO_BASES = ("computed", "stated")
ATTAINMENT_BASES = ("stated", "guaranteed")
SAME = 1e-9


class Citation(Table):
    """Where a published figure stands."""

    paper: str = column("document: distserve, splitwise, ...; hardware and model_shape for specifications")
    figure: str = column("name of the figure within the document", str_matches=r"^[a-z0-9_]+$")
    version: str = column("version of the document; where versions disagree each is its own row")
    locator: str = column("table, figure, section or file of the figure", str_length={"min_value": 1})
    status: str = column(STATUS_MEANING, isin=STATUSES)
    system: str = column("system that was measured", nullable=True)
    baseline: str = column("system it is compared with; several, best known first, with semicolons", nullable=True)
    model: str = column("model that was served", nullable=True)
    gpu: str = column("canonical GPU; NULL if the document does not say", nullable=True)
    gpu_count: pl.Int64 = column("GPUs the figure was measured on", unit="GPUs", nullable=True, ge=1)
    workload: str = column("requests that were served", nullable=True)
    condition: str = column("setting of this figure: batch, bandwidth, variant", nullable=True)
    ttft_s: float = column("bound on the time to first token", unit="s", nullable=True, gt=0)
    tpot_s: float = column("bound on the time per output token; see tpot_definition", unit="s", nullable=True, gt=0)
    percentile: pl.Int64 = column(
        "percentile at which bounds hold, or that the figure is of", unit="percent", nullable=True, ge=1, le=100
    )
    tpot_definition: str = column(
        "how a time per output token is taken; NULL if not stated", isin=TPOT_DEFINITIONS, nullable=True
    )
    metric: str = column("what was measured, with its unit where it has one", str_matches=r"^[a-z0-9_]+$")
    value: float = column("the figure; NULL where only a range is given", nullable=True)
    unit: str = column("unit of value, low and high")


class PublishedFigure(Citation):
    """Every figure transcribed from papers, blogs, audited logs and specifications; one row per figure and version."""

    attainment: float = column("share of requests within both bounds, as stated", nullable=True, gt=0, le=1)
    low: float = column("lower end of a printed range or of the reading error", nullable=True)
    high: float = column("upper end of a printed range or of the reading error", nullable=True)
    rounding: float = column("half a unit of the last printed digit; 0 for counts", ge=0, nullable=True)
    n: pl.Int64 = column("sample size; see note for what is counted", nullable=True, ge=1)
    note: str = column("what to know first, such as where the document contradicts itself", nullable=True)
    source: str = column("source of the transcription")

    @pa.dataframe_check(description="a figure has a value or a range")
    def has_value_or_range(cls, data: pa.PolarsData) -> pl.LazyFrame:
        ranged = pl.col("low").is_not_null() & pl.col("high").is_not_null()
        return data.lazyframe.select(pl.col("value").is_not_null() | ranged)

    @pa.dataframe_check(description="low <= value <= high")
    def range_holds_value(cls, data: pa.PolarsData) -> pl.LazyFrame:
        middle = pl.coalesce("value", "low")
        return data.lazyframe.select(((pl.col("low") <= middle) & (middle <= pl.col("high"))).fill_null(True))

    class Config:
        name = "raw.published_figure"
        unique = ["paper", "figure"]


class CitedFigure(PublishedFigure):
    """The figures that may be used: each with a document or file that it was read from, none from general knowledge."""

    status: str = column(STATUS_MEANING, isin=BELIEVED)

    class Config:
        name = "core.cited_figure"
        metadata = carried_from("published_figure")
        unique = ["paper", "figure"]


class Gpu(Table):
    """Peak rates, memory and links of each GPU: one chosen claim per column, disagreements beside it.

    Specification tables and vendors' pages are chosen first; where they give two figures, the one that makes the GPU look
    worse. Nothing sparse is taken for dense, nothing recalled is chosen: a column without a citable figure is NULL, and a GPU
    without a peak or a memory is left out.
    """

    gpu: str = column("canonical GPU", unique=True, derived_from=("cited_figure.gpu",))
    bf16_flop_per_s: float = column(
        "dense 16-bit peak: BF16, or FP16 where the chip has no BF16",
        unit="flop_per_s",
        gt=0,
        derived_from=("cited_figure.value",),
    )
    fp8_flop_per_s: float = column(
        "dense FP8 peak; NULL if it has none or no document states it",
        unit="flop_per_s",
        gt=0,
        nullable=True,
        derived_from=("cited_figure.value",),
    )
    fp4_flop_per_s: float = column(
        "dense FP4 peak; NULL if it has none",
        unit="flop_per_s",
        gt=0,
        nullable=True,
        derived_from=("cited_figure.value",),
    )
    int8_op_per_s: float = column(
        "dense INT8 peak; NULL if it has none or no document states it",
        unit="op_per_s",
        gt=0,
        nullable=True,
        derived_from=("cited_figure.value",),
    )
    hbm_bytes: float = column("memory", unit="bytes", gt=0, derived_from=("cited_figure.value",))
    hbm_bytes_per_s: float = column("memory bandwidth", unit="bytes_per_s", gt=0, derived_from=("cited_figure.value",))
    scale_up_bytes_per_s: float = column(
        "link to the other GPUs of the node or rack, one direction",
        unit="bytes_per_s",
        gt=0,
        nullable=True,
        derived_from=("cited_figure.value",),
    )
    scale_up_gpus: pl.Int64 = column(
        "GPUs that the link joins; NULL if no document states it or the GPU has none",
        unit="GPUs",
        gt=0,
        nullable=True,
        derived_from=("cited_figure.value",),
    )
    pcie_bytes_per_s: float = column(
        "host link, one direction", unit="bytes_per_s", gt=0, nullable=True, derived_from=("cited_figure.value",)
    )
    nic_bytes_per_s: float = column(
        "network per GPU, one direction",
        unit="bytes_per_s",
        gt=0,
        nullable=True,
        derived_from=("cited_figure.value",),
    )
    tdp_w: float = column("thermal design power", unit="W", gt=0, nullable=True, derived_from=("cited_figure.value",))
    status: str = column(STATUS_MEANING + "; the weakest of the chosen claims", isin=BELIEVED)
    locator: str = column("where the chosen claims stand")
    disagreements: str = column("claims that were not chosen, each with its place; NULL if none", nullable=True)

    class Config:
        name = "core.gpu"


class ModelShape(Table):
    """Layers, heads and parameters of each model, and the KV bytes one token takes, recomputed from them.

    Nothing recalled is chosen, and a model whose shape no citable document completes is left out. Most rows are read from
    config.json, layer by layer (`core.model_layer`); widths of heads are those of the first attention layer.
    """

    model: str = column("model", unique=True, derived_from=("cited_figure.model",))
    layers: pl.Int64 = column("layers", gt=0)
    hugging_face_id: str = column(
        "repository of the weights; NULL where no configuration was read",
        nullable=True,
        derived_from=("model_configuration.hugging_face_id",),
    )
    hidden: pl.Int64 = column("width of the residual stream", gt=0)
    query_heads: pl.Int64 = column("query heads per layer", gt=0)
    kv_heads: pl.Int64 = column("KV heads per layer; NULL for latent attention", gt=0, nullable=True)
    head_dim: pl.Int64 = column("width of a query or key head", gt=0)
    value_head_dim: pl.Int64 = column("width of a value head where it differs", gt=0, nullable=True)
    mla_latent_dim: pl.Int64 = column("latent width of multi-head latent attention", gt=0, nullable=True)
    mla_rope_dim: pl.Int64 = column("positional width kept beside the latent", gt=0, nullable=True)
    parameters: float = column("parameters", gt=0)
    active_parameters: float = column("parameters one token uses", gt=0)
    embedding_parameters: float = column(
        "of the tables that words enter and leave by", ge=0, nullable=True, derived_from=("model_configuration.config",)
    )
    dense_parameters: float = column(
        "of what every token uses, without those tables",
        ge=0,
        nullable=True,
        derived_from=("model_layer.mixer_parameters", "model_layer.dense_parameters"),
    )
    expert_parameters: float = column(
        "of the routed experts, all together; 0 for a dense model",
        ge=0,
        nullable=True,
        derived_from=("model_layer.expert_parameters", "model_layer.experts"),
    )
    experts: pl.Int64 = column("routed experts of a layer", ge=2, nullable=True, derived_from=("model_layer.experts",))
    experts_per_token: float = column(
        "routed experts a token uses in a layer", gt=0, nullable=True, derived_from=("model_layer.experts_per_token",)
    )
    expert_layers: pl.Int64 = column(
        "layers with experts", unit="layers", gt=0, nullable=True, derived_from=("model_layer.layers", "model_layer.experts")
    )
    prediction_layers: pl.Int64 = column(
        "layers that predict further tokens (MTP), in no count; 0: none stated",
        unit="layers",
        ge=0,
        nullable=True,
        derived_from=("model_configuration.config",),
    )
    vocabulary: pl.Int64 = column(
        "tokens of the vocabulary", unit="tokens", gt=0, nullable=True, derived_from=("model_configuration.config",)
    )
    kv_bytes_per_token: float = column(
        "KV bytes of one token at 2 bytes a value, recomputed from the shape; windows and states apart",
        unit="bytes_per_token",
        gt=0,
    )
    window_kv_bytes_per_token: float = column(
        "of these, those of layers that keep no token older than window_tokens",
        unit="bytes_per_token",
        ge=0,
        nullable=True,
        derived_from=("model_layer.window_kv_bytes_per_token",),
    )
    window_tokens: pl.Int64 = column(
        "tokens such layers look back on; NULL: no such layer",
        unit="tokens",
        gt=0,
        nullable=True,
        derived_from=("model_layer.window_tokens",),
    )
    state_bytes: float = column(
        "state of a whole sequence in linear-attention and Mamba layers, 2 bytes a value or 4 where the configuration says so",
        unit="bytes",
        ge=0,
        nullable=True,
        derived_from=("model_layer.state_values",),
    )
    index_bytes_per_token: float = column(
        "keys of the indexer of sparse attention, 1 byte a value",
        unit="bytes_per_token",
        ge=0,
        nullable=True,
        derived_from=("model_layer.index_bytes_per_token",),
    )
    attended_tokens: pl.Int64 = column(
        "tokens that sparse attention reads at most; NULL: all",
        unit="tokens",
        gt=0,
        nullable=True,
        derived_from=("model_configuration.config",),
    )
    bf16_bytes: float = column(
        "weights in 16 bits",
        unit="bytes",
        gt=0,
        nullable=True,
        derived_from=("model_layer.mixer_parameters", "model_layer.dense_parameters", "model_layer.expert_parameters"),
    )
    fp8_bytes: float = column(
        "weights in 8 bits, the word tables in 16",
        unit="bytes",
        gt=0,
        nullable=True,
        derived_from=("model_layer.mixer_parameters", "model_layer.dense_parameters", "model_layer.expert_parameters"),
    )
    fp4_bytes: float = column(
        "weights in 4 bits with a scale for 16, the word tables in 16",
        unit="bytes",
        gt=0,
        nullable=True,
        derived_from=("model_layer.mixer_parameters", "model_layer.dense_parameters", "model_layer.expert_parameters"),
    )
    stored_as: str = column(
        "number format of most weights in the publisher's checkpoint",
        isin=("bf16", "fp8", "fp4", "int4"),
        nullable=True,
        derived_from=("model_configuration.config",),
    )
    stated_kv_bytes_per_token: float = column("the same as the table states it", unit="bytes_per_token", nullable=True)
    stated_parameters: float = column(
        "parameters as the publisher or the name states them",
        gt=0,
        nullable=True,
        derived_from=("model_configuration.parameters_stated",),
    )
    stated_active_parameters: float = column(
        "active parameters as stated", gt=0, nullable=True, derived_from=("model_configuration.active_parameters_stated",)
    )
    stated_locator: str = column("where they are stated", nullable=True, derived_from=("model_configuration.stated_locator",))
    difference: str = column(
        "why a count is more than 3 % from the stated one; NULL where none is",
        nullable=True,
        derived_from=("model_configuration.difference",),
    )
    shape_of: str = column(
        "model whose shape it takes, because no configuration of its own was read",
        nullable=True,
        derived_from=("model_configuration.shape_of",),
    )
    status: str = column(STATUS_MEANING + "; the weakest of the chosen claims", isin=BELIEVED)
    locator: str = column("where the chosen claims stand")
    disagreements: str = column("claims that were not chosen, each with its place; NULL if none", nullable=True)
    note: str = column("what to know first", nullable=True)

    @pa.dataframe_check(description="the stated KV bytes are those of the shape")
    def kv_bytes_close(cls, data: pa.PolarsData) -> pl.LazyFrame:
        gap = (pl.col("stated_kv_bytes_per_token") / pl.col("kv_bytes_per_token") - 1).abs()
        return data.lazyframe.select((gap <= SAME).fill_null(True))

    class Config:
        name = "core.model_shape"


class PublishedCommonFrame(Citation):
    """Every published operating point with its contract, priced at one dated rent per GPU, beside its own baseline.

    Compare dollars only between rows of one `comparable_with`. The rent is the median over sellers of each seller's median
    offer in force today: on demand; where nobody offers that, the stated rent, then InferenceX's third column.
    """

    status: str = column(STATUS_MEANING, isin=BELIEVED)
    low: float = column("lower end of the figure: reading error, or slowest submission", nullable=True)
    high: float = column("upper end of the figure: reading error, or fastest submission", nullable=True)
    requests_per_s_per_gpu: float = column(
        "requests served",
        unit="requests_per_s_per_gpu",
        nullable=True,
        gt=0,
        derived_from=("cited_figure.value", "cited_figure.gpu_count"),
    )
    output_tokens_per_request: float = column(
        "output tokens of a request", unit="tokens", nullable=True, gt=0, derived_from=("cited_figure.value",)
    )
    output_tokens_basis: str = column(
        "mean or median of the workload; NULL where tokens were measured", isin=("mean", "median"), nullable=True
    )
    output_tokens_per_s_per_gpu: float = column(
        "output tokens",
        unit="tokens_per_s",
        nullable=True,
        gt=0,
        derived_from=("cited_figure.value", "cited_figure.gpu_count"),
    )
    attainment: float = column(
        "share of requests within both bounds; NULL where no contract is stated",
        nullable=True,
        gt=0,
        le=1,
        derived_from=("cited_figure.attainment", "cited_figure.value", "cited_figure.percentile"),
    )
    attainment_basis: str = column(
        "stated: measured or aimed at by the document; guaranteed: the least share two separate percentiles imply",
        isin=ATTAINMENT_BASES,
        nullable=True,
    )
    n: pl.Int64 = column("sample size; for medians of submissions, submissions", nullable=True, ge=1)
    attainment_low: float = column(
        "lower end of the 95 % Wilson interval",
        nullable=True,
        ge=0,
        le=1,
        derived_from=("cited_figure.attainment", "cited_figure.n"),
    )
    attainment_high: float = column(
        "upper end of the 95 % Wilson interval",
        nullable=True,
        ge=0,
        le=1,
        derived_from=("cited_figure.attainment", "cited_figure.n"),
    )
    gpu_usd_per_hour: float = column(
        "rent the row is priced at",
        unit="usd_per_gpu_hour",
        nullable=True,
        gt=0,
        derived_from=("gpu_rent.usd_per_gpu_hour",),
    )
    gpu_price_term: str = column("what that rent buys", isin=TERMS, nullable=True, derived_from=("gpu_rent.term",))
    gpu_price_on: pl.Date = column("first day of the newest offer in it", nullable=True, derived_from=("gpu_rent.valid_from",))
    gpu_price_sellers: pl.Int64 = column("sellers in it", nullable=True, ge=1, derived_from=("gpu_rent.provider",))
    gpu_price_sources: str = column("sources of the offers", nullable=True, derived_from=("gpu_rent.source",))
    usd_per_mtok_output: float = column(
        "rent per million output tokens",
        unit="usd_per_mtok",
        nullable=True,
        gt=0,
        derived_from=("cited_figure.value", "gpu_rent.usd_per_gpu_hour"),
    )
    usd_per_mtok_slo_output: float = column(
        "rent per million output tokens within the contract, at most this where attainment is guaranteed; NULL without a "
        "contract, a rate or a rent",
        unit="usd_per_mtok",
        nullable=True,
        gt=0,
        derived_from=("cited_figure.value", "gpu_rent.usd_per_gpu_hour", "cited_figure.attainment"),
    )
    baseline: str = column("system of the ratio: the best of the named baselines where the ratio is computed", nullable=True)
    ratio_to_baseline: float = column(
        "throughput over that of the baseline", nullable=True, gt=0, derived_from=("cited_figure.value",)
    )
    ratio_basis: str = column("computed from both rates, or stated by the document", isin=RATIO_BASES, nullable=True)
    comparable_with: str = column(
        "key of the frame: rows that share it may be compared in dollars; ? where the document does not say"
    )
    note: str = column("what to know first", nullable=True, derived_from=("cited_figure.note",))
    as_of: pl.Date = column("day the rents are of")

    class Config:
        name = "marts.published_common_frame"
        metadata = carried_from("cited_figure")
        unique = ["paper", "figure"]


class Recomputed(Table):
    """A printed figure beside the same figure computed from others of the document."""

    check: str = column("name of the recomputation", str_matches=r"^[a-z0-9_]+$", unique=True)
    paper: str = column("document whose figure is recomputed")
    what: str = column("what is claimed, and what would contradict it")
    printed_value: float = column("the figure as printed; NULL where it is a range", nullable=True)
    printed_low: float = column("lowest value that prints so")
    printed_high: float = column("highest value that prints so")
    recomputed_value: float = column("the same from other figures")
    recomputed_low: float = column("lowest value their rounding allows")
    recomputed_high: float = column("highest value their rounding allows")
    unit: str = column("unit of all of these")
    ratio: float = column("printed over recomputed; of a range its nearer end")
    formula: str = column("how it is recomputed")
    printed_locator: str = column("place of the printed figure")
    recomputed_locator: str = column("places of the figures it is recomputed from")
    status: str = column(STATUS_MEANING + "; the weakest of the figures used", isin=STATUSES)


class PublishedRederivation(Recomputed):
    """Every recomputation of a published figure, and whether it closes within what rounding allows."""

    closes: bool = column("whether the two ranges meet")

    class Config:
        name = "meta.published_rederivation"


class PublishedDiscrepancy(Recomputed):
    """Where a document contradicts itself or its own data: recomputations that do not close within rounding."""

    class Config:
        name = "meta.published_discrepancy"
        metadata = carried_from("published_rederivation")

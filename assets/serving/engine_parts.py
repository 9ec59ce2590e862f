"""Models and accelerators as a step needs them: one row for each model and number format, and for each accelerator and format.

From `core.model_shape`, `core.model_layer` and `core.gpu`. What no document states is filled by a rule named here.
"""

import polars as pl

FORMATS = ("bf16", "fp8", "fp4", "mxfp4", "int8", "int4")
"""Number formats of weights that are told apart."""
DENSE_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.56, "mxfp4": 2.0, "int8": 1.0, "int4": 0.56}
"""Bytes of a dense parameter. MXFP4 is of experts only: the rest stays in 16 bits. Source: formula S17."""
EXPERT_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.56, "mxfp4": 0.53, "int8": 1.0, "int4": 0.56}
DENSE_BYTES_BESIDE_FP4_EXPERTS = 1.0
"""Checkpoints of experts in FP4 keep attention in 8 bits. Source: formula S17 (R1-FP4)."""
KV_BYTES_PER_VALUE = 2.0

FAMILIES = {
    "ampere": ("a100", "a800", "a40", "a10", "a30", "a6000", "rtx-a", "rtx-30"),
    "hopper": ("h100", "h200", "h800", "h20", "gh200"),
    "ada": ("l4", "l40", "rtx-40", "rtx-6000-ada", "rtx-5000-ada", "rtx-4000-ada"),
    "blackwell": ("b200", "b300", "gb200", "gb300"),
    "blackwell_workstation": ("rtx-pro", "rtx-5090", "rtx-5080", "gb10"),
    "volta": ("v100",),
    "turing": ("t4",),
    "cdna2": ("mi250", "mi210"),
    "cdna3": ("mi300", "mi325"),
    "cdna4": ("mi350", "mi355"),
    "cdna5": ("mi455",),
    "gaudi": ("gaudi",),
    "tpu": ("tpu",),
    "neuron": ("trainium", "inferentia"),
    "ascend": ("ascend",),
    "apple": ("apple",),
    "rubin": ("rubin",),
}
"""Names by which accelerators of one architecture begin; an accelerator of none is a family of its own."""
FP8_FOR_MXFP4 = ("blackwell", "blackwell_workstation", "cdna4", "cdna5", "rubin")
"""Families that multiply MXFP4 weights at their FP8 peak; the others in 16 bits. Source: formula S17 (gpt-oss)."""
UNKNOWN_LINK_BYTES_PER_S = 32e9
"""Scale-up link of an accelerator of which no document states one: PCIe 4.0 x16, one way."""
UNKNOWN_NETWORK_BYTES_PER_S = 25e9
NODE_GPUS = 8.0
"""Accelerators of one domain where no document says how many the link joins."""


def served_models(shapes: pl.DataFrame, layers: pl.DataFrame) -> pl.DataFrame:
    """Parts of each model in each number format, columns `model_*` as fields of `ServedModel`.

    `architecture` names the first of the models that have the same layers and sizes: their steps take the same time.
    `shapes`: contract `ModelShape`; `layers`: contract `ModelLayer`. Models without counts by group are left out.
    """
    attention = layers.group_by("model").agg(attention_parameters=(pl.col("layers") * pl.col("mixer_parameters")).sum())
    latent = pl.col("mla_latent_dim").is_not_null()
    heads, value_dim = pl.col("query_heads"), pl.coalesce("value_head_dim", "head_dim")
    per_layer = KV_BYTES_PER_VALUE * (
        pl.when(latent)
        .then(pl.col("mla_latent_dim") + pl.col("mla_rope_dim"))
        .otherwise(pl.col("kv_heads") * (pl.col("head_dim") + value_dim))
    )
    window_bytes = pl.col("window_kv_bytes_per_token").fill_null(0.0)
    sparse = pl.col("expert_parameters") > 0
    parts = (
        shapes.drop_nulls(["dense_parameters", "query_heads"])
        .join(attention, on="model", how="left")
        .with_columns(
            expert_parameters=pl.col("expert_parameters").fill_null(0.0),
            head=pl.coalesce(pl.col("vocabulary") * pl.col("hidden"), pl.lit(0)).cast(pl.Float64),
            per_layer=per_layer,
        )
    )
    formats = pl.DataFrame(
        {"precision": FORMATS, "dense": [DENSE_BYTES[f] for f in FORMATS], "expert": [EXPERT_BYTES[f] for f in FORMATS]}
    )
    dense_bytes = (
        pl.when(sparse & (pl.col("precision") == "fp4")).then(DENSE_BYTES_BESIDE_FP4_EXPERTS).otherwise(pl.col("dense"))
    )
    alike = ["layers", "hidden", "dense_parameters", "expert_parameters", "kv_bytes_per_token"]
    twins = parts.with_columns(architecture=pl.col("model").sort().first().over(alike))
    return twins.join(formats, how="cross").select(
        "model",
        "precision",
        "architecture",
        model_layers=pl.col("layers"),
        model_hidden=pl.col("hidden"),
        model_dense_parameters=pl.col("dense_parameters") + pl.col("head"),
        model_dense_bytes=dense_bytes * pl.col("dense_parameters") + 2.0 * pl.col("head"),
        model_expert_parameters=pl.col("expert_parameters"),
        model_expert_bytes=pl.col("expert") * pl.col("expert_parameters"),
        model_expert_share=(pl.col("experts_per_token") / pl.col("experts")).fill_null(1.0),
        model_experts_per_token=pl.col("experts_per_token").fill_null(0.0),
        model_attention_bytes=dense_bytes
        * pl.min_horizontal(pl.col("attention_parameters").fill_null(0.0), "dense_parameters"),
        model_kv_bytes_per_layer=pl.col("per_layer"),
        model_kv_layers=(pl.col("kv_bytes_per_token") - window_bytes) / pl.col("per_layer"),
        model_window_layers=window_bytes / pl.col("per_layer"),
        model_window_tokens=pl.col("window_tokens").fill_null(0),
        model_attended_tokens=pl.col("attended_tokens").cast(pl.Float64).fill_null(float("inf")),
        model_state_bytes=pl.col("state_bytes").fill_null(0.0),
        model_kv_split=pl.when(latent).then(1).otherwise(pl.col("kv_heads")),
        model_decode_flop_per_pair=pl.when(latent)
        .then(2.0 * heads * (2 * pl.col("mla_latent_dim") + pl.col("mla_rope_dim")))
        .otherwise(2.0 * heads * (pl.col("head_dim") + value_dim)),
        model_prefill_flop_per_pair=2.0 * heads * (pl.col("head_dim") + value_dim),
        model_launch_factor=pl.when(latent).then(2.0).otherwise(1.0),
    )


def accelerators(gpus: pl.DataFrame) -> pl.DataFrame:
    """Parts of each accelerator in each number format, columns `device_*` as fields of `Device`. `gpus`: contract `Gpu`."""
    formats = pl.DataFrame({"precision": FORMATS})
    wide = pl.col("bf16_flop_per_s")
    eight, four = pl.coalesce("fp8_flop_per_s", wide), pl.coalesce("fp4_flop_per_s", "fp8_flop_per_s", wide)
    mx = pl.when(pl.col("family").is_in(FP8_FOR_MXFP4)).then(eight).otherwise(wide)
    peak = (
        pl.when(pl.col("precision") == "fp8")
        .then(eight)
        .when(pl.col("precision") == "fp4")
        .then(four)
        .when(pl.col("precision") == "mxfp4")
        .then(mx)
        .when(pl.col("precision") == "int8")
        .then(pl.coalesce("int8_op_per_s", wide))
        .otherwise(wide)
    )
    return (
        gpus.with_columns(family=family())
        .join(formats, how="cross")
        .select(
            "gpu",
            "precision",
            device_flop_per_s=peak,
            device_attention_flop_per_s=wide,
            device_memory_bytes_per_s=pl.col("hbm_bytes_per_s"),
            device_memory_bytes=pl.col("hbm_bytes"),
            device_link_bytes_per_s=pl.coalesce("scale_up_bytes_per_s", "pcie_bytes_per_s", pl.lit(UNKNOWN_LINK_BYTES_PER_S)),
            device_network_bytes_per_s=pl.coalesce("nic_bytes_per_s", pl.lit(UNKNOWN_NETWORK_BYTES_PER_S)),
            device_domain_gpus=pl.coalesce(pl.col("scale_up_gpus").cast(pl.Float64), pl.lit(NODE_GPUS)),
        )
    )


def family(column: str = "gpu") -> pl.Expr:
    """Architecture of an accelerator by the beginning of its name."""
    found = pl.col(column)
    for name, starts in FAMILIES.items():
        begins = pl.any_horizontal(pl.col(column).str.starts_with(start) for start in starts)
        found = pl.when(begins).then(pl.lit(name)).otherwise(found)
    return found

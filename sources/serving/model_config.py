"""The shape of a model from its Hugging Face config.json: what each of its layers holds.

Fields are read by what they say, not by whose model it is; `DEFAULTS` says what the code of a family does where its
configuration is silent. A layer comes as the fields of `economics.serving.model_parts.Layer`; equal ones come once.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from sources.serving.model_mixers import Config, Fields, first, mixer_of, number

TWO_MATRICES = {"ffn_matrices": 2}
DEFAULTS: dict[str, Fields] = {
    "gemma2": {"sliding_window_pattern": 2, "tie_word_embeddings": True},
    "gemma3": {"sliding_window_pattern": 6, "vocab_size": 262208, "tie_word_embeddings": True},
    "gemma4": {"tie_word_embeddings": True},
    "cohere": {"tie_word_embeddings": True},
    "cohere2": {"sliding_window_pattern": 4, "tie_word_embeddings": True},
    "olmo3": {"sliding_window_pattern": 4},
    "muse_spark_text": {"sliding_window_pattern": 4},
    "inkling_text": {"sliding_window_pattern": 6, "first_k_dense_replace": 0},
    "falcon": {"tie_word_embeddings": True, **TWO_MATRICES},
    "falcon_mamba": {"mamba_generation": 1},
    "jamba": {"mamba_generation": 1},
    "phi3small": {"tie_word_embeddings": True},
    "bloom": TWO_MATRICES,
    "opt": TWO_MATRICES,
    "gptj": TWO_MATRICES,
    "grok-1": TWO_MATRICES,
    "nemotron": TWO_MATRICES,
    "nemotron_h": TWO_MATRICES,
    "kimi_linear": {"layer_group_size": 4},
    "glm5_next_text": {"layer_group_size": 4, "first_k_dense_replace": 3},
    "hy_v3": {"first_k_dense_replace": 1},
    "hy_v4": {"first_k_dense_replace": 1},
    "qwen3_next": {"attn_output_gate": True},
}
LETTERS = {"M": "mamba", "E": "moe", "-": "mlp", "*": "attention"}
"""Layers of Nemotron-H as its configuration writes them, one letter each."""
CROSS_ATTENTION_EVERY = 5
"""Of the layers of Llama 3.2 Vision, the one that reads the image."""


LISTED: dict[str, Callable[[Any], list[str]]] = {
    "block_configs": lambda blocks: [f"block:{place}" for place in range(len(blocks))],
    "layer_types": lambda kinds: [str(kind) for kind in kinds],
    "layers_block_type": lambda kinds: [str(kind) for kind in kinds],
    "hybrid_override_pattern": lambda letters: [LETTERS[letter] for letter in letters],
    "hybrid_layer_pattern": lambda flags: ["sliding_attention" if flag else "full_attention" for flag in flags],
    "attn_type_list": lambda flags: ["full_attention" if flag else "lightning" for flag in flags],
    "layer_type_counts": lambda counts: [kind for kind, times in counts.items() for _ in range(times)],
}
"""Fields that list the kind of every layer."""
PERIODS = {
    "full_attention_interval": "linear_attention",
    "layer_group_size": "kda",
    "sliding_window_pattern": "sliding_attention",
}
"""Fields that say which layers have full attention, every n-th one, and the kind of the others."""


SPARSE_LAYERS: dict[str, Callable[[list[Any], int], bool]] = {
    "mlp_layer_types": lambda kinds, place: bool(kinds[place] != "dense"),
    "moe_layer_freq": lambda flags, place: bool(flags[place]),
    "moe_layers_enum": lambda places, place: place in {int(one) for one in places},
}
"""Fields that list which layers have experts, and how they say it of the layer at a place."""
SEVERAL = 2


class ModelConfig(NamedTuple):
    """What a configuration says of a model. Widths in values, counts in layers."""

    layers: int
    hidden: int
    vocabulary: int
    tied: bool
    per_layer_embedding: int
    """Values that each layer looks up for each token besides (Gemma 3n and 4)."""
    query_heads: int
    kv_heads: int | None
    head_dim: int
    value_head_dim: int | None
    kv_rank: int | None
    rope_dim: int | None
    attended_tokens: int | None
    """Tokens that sparse attention reads at most."""
    state_bytes_per_value: float
    """Of a Mamba or linear-attention state, in which format the configuration keeps it."""
    prediction_layers: int
    """Layers that predict further tokens (MTP); in no count."""
    stored_as: str
    """Number format of the weights in the checkpoint: bf16, fp8, fp4, int4."""
    groups: tuple[tuple[int, Fields], ...]
    """Layers that are alike: how many, and the fields of one."""


def read_config(config: Config) -> ModelConfig:
    """Read a config.json. Raises ValueError for one that is no language model's or lacks a width."""
    c = _flat(config)
    kinds = _kinds(c)
    layers = [_layer(c, kind, place, len(kinds)) for place, kind in enumerate(kinds)]
    counted = Counter(tuple(sorted(layer.items())) for layer in layers)
    attention = next((layer for layer in layers if layer["mixer"] not in ("mamba", "linear", "none")), {})
    return ModelConfig(
        layers=len(kinds),
        hidden=number(c, "hidden_size", "d_model"),
        vocabulary=number(c, "vocab_size", "padded_vocab_size"),
        tied=bool(c.get("tie_word_embeddings", False)),
        per_layer_embedding=int(c.get("hidden_size_per_layer_input") or 0),
        query_heads=int(attention.get("query_heads", 0)),
        kv_heads=attention.get("kv_heads"),
        head_dim=int(attention.get("head_dim", 0) + attention.get("rope_dim", 0) * (attention.get("mixer") == "latent")),
        value_head_dim=attention.get("value_head_dim"),
        kv_rank=attention.get("kv_rank"),
        rope_dim=(attention.get("rope_dim") or None) if attention.get("kv_rank") else None,
        attended_tokens=c.get("index_topk"),
        state_bytes_per_value=4.0 if "float32" in (c.get("mamba_ssm_cache_dtype"), c.get("mamba_ssm_dtype")) else 2.0,
        prediction_layers=int(first(c, "num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_layers") or 0),
        stored_as=_stored_as(c),
        groups=tuple((times, dict(fields)) for fields, times in counted.items()),
    )


def _flat(config: Config) -> Config:
    """The text model's fields with those of the whole, nested parts by plain names, and what the family's code does."""
    text = config.get("text_config") or {}
    kind = str(config.get("model_type") or text.get("model_type") or "")
    parts = {**(config.get("linear_attn_config") or {}), **(text.get("linear_attn_config") or {})}
    linear = {f"linear_attn_{name}": value for name, value in parts.items()}
    dbrx = {"num_key_value_heads": (config.get("attn_config") or {}).get("kv_n_heads"), **(config.get("ffn_config") or {})}
    stated = {**dbrx, **config, **text, **linear}
    stated |= {name: config[name] for name in ("tie_word_embeddings", "quantization_config") if name in config}
    known = {name: value for name, value in stated.items() if value not in (None, "auto", "")}
    return {**DEFAULTS.get(kind, {}), **known, "model_type": kind}


def _kinds(c: Config) -> list[str]:
    """The kind of each layer, in order: listed, drawn as letters, or by the rule of the family."""
    for name, kinds in LISTED.items():
        if isinstance(c.get(name), list | str | dict):
            return kinds(c[name])
    n = number(c, "num_hidden_layers", "num_layers", "n_layers", "n_layer")
    if "linear_attn_full_attn_layers" in c:
        full = set(c["linear_attn_full_attn_layers"])
        return ["full_attention" if place + 1 in full else "kda" for place in range(n)]
    if "attn_layer_period" in c:
        return ["attention" if p % c["attn_layer_period"] == c["attn_layer_offset"] else "mamba" for p in range(n)]
    for name, other in PERIODS.items():
        if c.get(name):
            return ["full_attention" if (place + 1) % c[name] == 0 else other for place in range(n)]
    alike = "mamba" if "state_size" in c else "parallel" if "mamba_d_ssm" in c else "attention"
    return [alike] * n


def _layer(c: Config, kind: str, place: int, layers: int) -> Fields:
    """Fields of one layer."""
    hidden = number(c, "hidden_size", "d_model")
    if kind.startswith("block:"):
        return {"hidden": hidden, **_searched_block(c, c["block_configs"][place])}
    if c["model_type"] == "longcat_flash":  # two attentions and two dense parts around one set of experts
        twice = mixer_of(c, "attention", place, layers)
        return {"hidden": hidden, **twice, **_ffn(c, place), "ffn_width": 2 * c["ffn_hidden_size"], "mixers": 2}
    mixer = {"mixer": "none"} if kind in ("moe", "mlp") else mixer_of(c, kind, place, layers)
    alone = "hybrid_override_pattern" in c or "layers_block_type" in c
    if not alone:
        return {"hidden": hidden, **mixer, **_ffn(c, place)}
    ffn = _experts(c, place) if kind == "moe" else {"ffn_width": number(c, "intermediate_size")} if kind == "mlp" else {}
    return {"hidden": hidden, **mixer, **ffn, **_matrices(c)}


def _ffn(c: Config, place: int) -> Fields:
    """The feed-forward part of a layer: dense, or experts beside what every token uses."""
    if "state_size" in c:  # a Mamba model has none
        return {}
    if _has_experts(c, place):
        beside = {"ffn_width": int(c["intermediate_size"])} if c.get("enable_moe_block") else {}
        return {**_experts(c, place), **beside, **_matrices(c)}
    width = first(c, "dense_intermediate_size", "intermediate_size_mlp") if c.get("num_local_experts") else None
    width = width or first(c, "intermediate_size", "ffn_hidden_size", "ff_intermediate_size")
    if width is None:
        width = 4 * number(c, "hidden_size")
    if c.get("use_double_wide_mlp") and place >= number(c, "num_hidden_layers") - int(c.get("num_kv_shared_layers") or 0):
        width = 2 * int(width)
    if c["model_type"] == "granitemoehybrid":
        width = c["shared_intermediate_size"]
    return {"ffn_width": int(width), **_matrices(c)}


def _has_experts(c: Config, place: int) -> bool:
    """Whether the layer at a place has experts: as listed layer by layer, or by a rule of places."""
    experts = first(c, "n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts")
    if not experts or int(experts) < SEVERAL or place in (c.get("mlp_only_layers") or ()):
        return False
    for name, says in SPARSE_LAYERS.items():
        if isinstance(c.get(name), list):
            return says(c[name], place)
    if "expert_layer_period" in c:
        return bool(place % c["expert_layer_period"] == c["expert_layer_offset"])
    if "interleave_moe_layer_step" in c:
        return bool((place + 1) % c["interleave_moe_layer_step"] == 0)
    after = place - int(first(c, "first_k_dense_replace", "moe_layer_start_index", "moe_layer_num_skipped") or 0)
    return after >= 0 and after % int(first(c, "moe_layer_interval", "decoder_sparse_step") or 1) == 0


def _experts(c: Config, place: int) -> Fields:
    width = _of(c, place, "moe_intermediate_size", "expert_ffn_hidden_size", "ffn_hidden_size", "intermediate_size")
    shared = _of(c, place, "n_shared_experts", "num_shared_experts", "num_shared_expert", "moe_num_shared_experts")
    one = first(
        c,
        "moe_shared_expert_intermediate_size",
        "shared_expert_intermediate_size",
        "share_expert_dim",
        "shared_intermediate_size",
    )
    if one is None and c["model_type"] == "llama4":
        one = width
    names = ("num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_top_k", "top_k_experts", "moe_k")
    routed = int(first(c, "n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts") or 0)
    picks = float(_of(c, place, *names) or 0)
    nothing = int(c.get("zero_expert_num") or 0)  # a pick of one of these costs nothing
    return {
        "experts": routed,
        "experts_per_token": picks * routed / (routed + nothing),
        "expert_width": int(width or 0),
        "expert_hidden": int(first(c, "moe_latent_size", "routed_expert_hidden_size", "moe_hidden_size") or 0),
        "shared_width": int(one if one is not None else (shared or 0) * (width or 0)),
    }


def _searched_block(c: Config, block: Config) -> Fields:
    """A block of a model that a search pruned layer by layer: its own group size and width, or nothing (Nemotron NAS)."""
    attention, ffn = block["attention"], block["ffn"]
    heads, hidden = number(c, "num_attention_heads"), number(c, "hidden_size")
    width = hidden // heads
    mixer: Fields = {"mixer": "none"}
    if attention.get("n_heads_in_group"):
        kv_heads = heads // int(attention["n_heads_in_group"])
        mixer = {
            "mixer": "attention",
            "query_heads": heads,
            "kv_heads": kv_heads,
            "head_dim": width,
            "value_head_dim": width,
        }
    multiple = ffn.get("ffn_mult")
    return {**mixer, "ffn_width": -(-int(2 * multiple * hidden / 3) // 256) * 256 if multiple else 0}


def _matrices(c: Config) -> Fields:
    return {"ffn_matrices": int(c["ffn_matrices"])} if "ffn_matrices" in c else {}


def _stored_as(c: Config) -> str:
    """Number format of most weights in the checkpoint."""
    told = c.get("quantization_config") or {}
    if c.get("expert_dtype") == "fp4":
        return "fp4"
    method = f"{told.get('quant_method', '')} {told.get('quant_algo', '')} {told.get('format', '')}".lower()
    groups = told.get("config_groups") or []
    parts = groups.values() if isinstance(groups, dict) else groups
    widths = {(part["weights"]["num_bits"], part["weights"]["type"]) for part in parts if part.get("weights")}
    if "fp4" in method or (4, "float") in widths:
        return "fp4"
    if (4, "int") in widths or "awq" in method or "gptq" in method:
        return "int4"
    return "fp8" if "fp8" in method or (8, "float") in widths else "bf16"


def _of(c: Config, place: int, *names: str) -> Any:
    """The first of the fields that is stated; of a list, the layer's own."""
    value = first(c, *names)
    return value[place] if isinstance(value, list) else value

"""The part of a layer that looks at other tokens, from the fields of a config.json: attention of all kinds, states, Mamba."""

from collections.abc import Mapping
from typing import Any

Config = Mapping[str, Any]
Fields = dict[str, Any]


def mixer_of(c: Config, kind: str, place: int, layers: int) -> Fields:
    """Fields of the mixer of the layer at a place, of its kind as the configuration calls it."""
    if kind in ("linear_attention", "kda", "lightning"):
        return _linear(c, kind)
    if kind == "mamba":
        return {"mixer": "mamba", **_mamba(c)}
    if kind == "parallel":
        return {**_attention(c, kind, place, layers), **_mamba(c), "mixer": "parallel"}
    if "compress_ratios" in c:
        return _compressed(c, place)
    if "kv_lora_rank" in c:
        return _latent(c, place)
    return _attention(c, kind, place, layers)


def _attention(c: Config, kind: str, place: int, layers: int) -> Fields:
    """Attention with keys and values for each head or group of heads."""
    heads = number(c, "num_attention_heads", "n_heads", "n_head")
    per_layer = c.get("num_attention_heads_per_layer")
    head_dim = int(first(c, "head_dim", "attention_head_dim", "kv_channels") or number(c, "hidden_size", "d_model") // heads)
    kv_heads = int(first(c, "num_key_value_heads", "multi_query_group_num", "num_kv_heads", "num_attention_groups") or heads)
    value_dim = int(c.get("v_head_dim") or head_dim)
    fields: Fields = {"mixer": "attention", "query_heads": int(per_layer[place] if per_layer else heads)}
    window = int(first(c, "sliding_window", "sliding_window_size") or 0)
    window = window if window < int(c.get("max_position_embeddings") or window + 1) else 0
    if kind == "sliding_attention":
        kv_heads, head_dim = int(c.get("swa_num_key_value_heads", kv_heads)), int(c.get("swa_head_dim", head_dim))
        fields |= {"window_tokens": window, "query_heads": int(c.get("swa_num_attention_heads", fields["query_heads"]))}
        value_dim = int(c.get("swa_v_head_dim", head_dim if "v_head_dim" not in c else value_dim))
    elif "global_head_dim" in c:
        head_dim = value_dim = int(c["global_head_dim"])
        kv_heads = int(c.get("num_global_key_value_heads", kv_heads))
        fields["value_is_key"] = bool(c.get("attention_k_eq_v", False))
    elif kind == "attention" and window and c.get("use_sliding_window", True) and "max_window_layers" not in c:
        fields["window_tokens"] = window
    if c.get("attn_output_gate") or c.get("attention_output_gate"):
        fields["gate_values"] = fields["query_heads"] * value_dim
    if "share_q_dim" in c:
        fields["query_rank"] = int(c["share_q_dim"])
    sparse = c.get("sparse_attention_config") or {}
    if sparse.get("use_sparse_attention") and sparse["sparse_attention_freq"][place]:
        fields |= {"index_heads": sparse["sparse_num_index_heads"], "index_dim": sparse["sparse_index_dim"]}
    shared = int(c.get("num_kv_shared_layers") or 0)
    keeps = place < layers - shared
    return fields | {"kv_heads": kv_heads, "head_dim": head_dim, "value_head_dim": value_dim, "keeps_kv": keeps}


def _latent(c: Config, place: int) -> Fields:
    """Multi-head latent attention: one latent vector and one positional key for all heads."""
    heads = number(c, "num_attention_heads")
    fields: Fields = {
        "mixer": "latent",
        "query_heads": heads,
        "head_dim": int(c["qk_nope_head_dim"]),
        "rope_dim": int(c["qk_rope_head_dim"]) if "qk_rope_head_dim" in c else 0,
        "value_head_dim": int(c["v_head_dim"]),
        "query_rank": int(c.get("q_lora_rank") or 0),
        "kv_rank": int(c["kv_lora_rank"]),
        "gate_values": heads * int(c["v_head_dim"]) if c.get("mla_use_output_gate") else 0,
    }
    return fields | _index(c, place)


def _compressed(c: Config, place: int) -> Fields:
    """Attention whose one key for all heads is its value too, kept for so many tokens together (DeepSeek V4)."""
    ratio = int(c["compress_ratios"][place])
    return {
        "mixer": "compressed",
        "query_heads": number(c, "num_attention_heads"),
        "head_dim": int(c["head_dim"]),
        "query_rank": int(c["q_lora_rank"]),
        "output_rank": int(c["o_lora_rank"]),
        "output_groups": int(c["o_groups"]),
        "compression": max(ratio, 1),
        "window_tokens": int(c["sliding_window"]),
        **(_index(c, place) if ratio == min(r for r in c["compress_ratios"] if r) else {}),
    }


def _index(c: Config, place: int) -> Fields:
    """The lightning indexer of sparse attention, where the layer has one of its own."""
    types = c.get("indexer_types")
    if "index_topk" not in c or (types and types[place] == "shared"):
        return {}
    return {"index_heads": int(c["index_n_heads"]), "index_dim": int(c["index_head_dim"])}


def _linear(c: Config, kind: str) -> Fields:
    """Linear attention: gated delta rule, Kimi's delta attention or lightning attention."""
    if kind == "linear_attention" and "linear_num_value_heads" in c:
        return {
            "mixer": "linear",
            "key_heads": int(c["linear_num_key_heads"]),
            "value_heads": int(c["linear_num_value_heads"]),
            "key_dim": int(c["linear_key_head_dim"]),
            "value_dim": int(c["linear_value_head_dim"]),
            "kernel": int(c["linear_conv_kernel_dim"]),
        }
    heads = int(first(c, "linear_attn_num_heads", "linear_num_heads") or number(c, "num_attention_heads"))
    width = int(first(c, "linear_attn_head_dim", "linear_head_dim", "head_dim") or 0)
    kernel = int(first(c, "linear_attn_short_conv_kernel_size", "linear_conv_kernel_dim", "short_conv_kernel_size") or 0)
    decay = width if kind == "kda" else 0
    return {
        "mixer": "linear",
        "key_heads": heads,
        "value_heads": heads,
        "key_dim": width,
        "value_dim": width,
        "kernel": kernel,
        "decay_rank": decay,
        "gate_rank": 0 if kind == "lightning" or c.get("linear_attn_use_full_rank_gate") else decay,
    }


def _mamba(c: Config) -> Fields:
    """A Mamba block of either generation."""
    state = int(first(c, "ssm_state_size", "mamba_d_state", "state_size") or 0)
    kernel = int(first(c, "conv_kernel", "mamba_d_conv") or 0)
    hidden, expand = number(c, "hidden_size"), int(first(c, "mamba_expand", "expand") or 2)
    if c.get("mamba_generation") == 1:
        inner = int(c["intermediate_size"]) if "mamba_d_state" not in c else expand * hidden
        steps = int(first(c, "mamba_dt_rank", "time_step_rank") or hidden // 16)
        return {"inner": inner, "state_dim": state, "step_rank": steps, "kernel": kernel}
    heads = int(first(c, "mamba_num_heads", "mamba_n_heads", "num_heads") or 0)
    width = int(first(c, "mamba_head_dim", "mamba_d_head", "head_dim") or 0)
    inner = int(c.get("mamba_d_ssm") or (heads * width if heads else expand * hidden))
    groups = int(first(c, "n_groups", "mamba_n_groups") or 1)
    return {"inner": inner, "state_dim": state, "state_groups": groups, "state_heads": heads or inner // 64, "kernel": kernel}


def first(c: Config, *names: str) -> Any:
    """The first of the fields that is stated; None for none."""
    return next((c[name] for name in names if c.get(name) is not None), None)


def number(c: Config, *names: str) -> int:
    """The first of the fields that is stated, a whole number above zero; ValueError for anything else."""
    value = first(c, *names)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError(f"no model configuration: {names[0]} should be a whole number, got {value!r}")
    return value

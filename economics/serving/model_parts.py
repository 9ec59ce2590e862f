"""What the layers of a model hold: parameters, KV of a token, state of a sequence. Norms and biases, under .2 %, are left out.

Source: counts of the matrices of each block; the totals of 180 models are checked against those their publishers state.
"""

from collections.abc import Callable
from dataclasses import dataclass

MIXERS = ("attention", "latent", "compressed", "linear", "mamba", "parallel", "none")
"""attention: keys and values for each head; latent: multi-head latent attention; compressed: one latent key kept for several
tokens; linear: a state by linear attention; mamba: a state-space block; parallel: attention beside Mamba; none: no mixer."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer: a mixer that looks at other tokens, and a feed-forward part. Widths in values; 0: the layer has none."""

    hidden: int
    mixer: str
    """One of MIXERS."""
    mixers: int = 1
    """Mixers of the layer, all alike: LongCat has two around one set of experts."""
    query_heads: int = 0
    kv_heads: int = 0
    head_dim: int = 0
    value_head_dim: int = 0
    rope_dim: int = 0
    query_rank: int = 0
    kv_rank: int = 0
    output_rank: int = 0
    output_groups: int = 0
    gate_values: int = 0
    """Values of an output gate, each of which has a column of weights."""
    keeps_kv: bool = True
    """False: the layer reads the keys and values of another one."""
    value_is_key: bool = False
    """Keys serve as values too: one projection, one vector kept."""
    window_tokens: int = 0
    """Tokens that sliding-window attention looks back on; 0: all."""
    compression: int = 1
    """Tokens that share one kept entry."""
    index_heads: int = 0
    index_dim: int = 0
    """Of the lightning indexer of sparse attention."""
    key_heads: int = 0
    value_heads: int = 0
    key_dim: int = 0
    value_dim: int = 0
    """Of linear attention: a state of key_dim by value_dim for each value head."""
    gate_rank: int = 0
    """Of an output gate by a low-rank product; 0: a full one."""
    decay_rank: int = 0
    """Of a decay that each channel has, by a low-rank product (KDA)."""
    inner: int = 0
    state_dim: int = 0
    state_groups: int = 0
    state_heads: int = 0
    """Of a Mamba block; state_heads 0: the first generation."""
    step_rank: int = 0
    kernel: int = 0
    """Width of the short convolution before a linear or Mamba block."""
    ffn_width: int = 0
    ffn_matrices: int = 3
    """3 with a gate, 2 without."""
    experts: int = 0
    experts_per_token: float = 0.0
    expert_width: int = 0
    expert_hidden: int = 0
    """Width in which experts work where it is narrower than the residual stream."""
    shared_width: int = 0
    """Width of the experts that every token uses, all together."""


def mixer_parameters(layer: Layer) -> int:
    """Parameters of the mixers."""
    own = sum(count(layer) for count in COUNTS[layer.mixer])
    return layer.mixers * (own + _indexer(layer))


def dense_parameters(layer: Layer) -> int:
    """Parameters of the feed-forward part that every token uses: dense, shared experts, router, way into the experts."""
    router = layer.experts * layer.hidden
    latent = 2 * layer.hidden * layer.expert_hidden if 0 < layer.expert_hidden < layer.hidden else 0
    return layer.ffn_matrices * layer.hidden * (layer.ffn_width + layer.shared_width) + router + latent


def expert_parameters(layer: Layer) -> int:
    """Parameters of one routed expert."""
    return layer.ffn_matrices * (layer.expert_hidden or layer.hidden) * layer.expert_width


def kept_values(layer: Layer) -> float:
    """Keys and values kept for each token that the layer looks back on, without the indexer's."""
    if layer.mixer in ("attention", "parallel") and layer.keeps_kv:
        values = 0 if layer.value_is_key else layer.value_head_dim
        return float(layer.mixers * layer.kv_heads * (layer.head_dim + values))
    if layer.mixer == "latent":
        return float(layer.mixers * (layer.kv_rank + layer.rope_dim))
    return layer.head_dim / layer.compression if layer.mixer == "compressed" and layer.compression > 1 else 0.0


def uncompressed_values(layer: Layer) -> float:
    """Values that a compressed layer keeps of each of its last `window_tokens` tokens, beside the compressed ones."""
    return float(layer.head_dim) if layer.mixer == "compressed" else 0.0


def window_values(layer: Layer) -> float:
    """Values kept of a token only as long as it is one of the last `window_tokens`."""
    if layer.mixer == "compressed":
        return uncompressed_values(layer)
    return kept_values(layer) if layer.window_tokens else 0.0


def state_values(layer: Layer) -> int:
    """Values of the state that a linear or Mamba block keeps of a whole sequence, its convolution's included."""
    if layer.mixer == "linear":
        channels = 2 * layer.key_heads * layer.key_dim + layer.value_heads * layer.value_dim
        return layer.value_heads * layer.key_dim * layer.value_dim + channels * max(layer.kernel - 1, 0)
    if layer.mixer in ("mamba", "parallel"):
        channels = layer.inner + 2 * layer.state_groups * layer.state_dim
        return layer.inner * layer.state_dim + channels * max(layer.kernel - 1, 0)
    return 0


def _attention(layer: Layer) -> int:
    queries = layer.query_heads * (layer.head_dim + layer.value_head_dim) if not layer.query_rank else 0
    keys = layer.kv_heads * (layer.head_dim + (0 if layer.value_is_key else layer.value_head_dim)) if layer.keeps_kv else 0
    own = layer.hidden * (queries + keys + layer.gate_values)
    if not layer.query_rank:
        return own
    width = layer.query_heads * layer.head_dim
    return own + layer.query_rank * (layer.hidden + width) + width * layer.hidden


def _latent(layer: Layer) -> int:
    keys = layer.query_heads * (layer.head_dim + layer.rope_dim)
    queries = layer.query_rank * (layer.hidden + keys) if layer.query_rank else layer.hidden * keys
    kept = layer.hidden * (layer.kv_rank + layer.rope_dim)
    raised = layer.kv_rank * layer.query_heads * (layer.head_dim + layer.value_head_dim)
    return queries + kept + raised + layer.hidden * (layer.query_heads * layer.value_head_dim + layer.gate_values)


def _compressed(layer: Layer) -> int:
    width = layer.query_heads * layer.head_dim
    queries = layer.query_rank * (layer.hidden + width)
    output = width * layer.output_rank + layer.output_groups * layer.output_rank * layer.hidden
    compressor = (2 if layer.compression < 100 else 1) * 2 * layer.hidden * layer.head_dim if layer.compression > 1 else 0
    return queries + layer.hidden * layer.head_dim + output + compressor


def _indexer(layer: Layer) -> int:
    if not layer.index_heads:
        return 0
    queries = (layer.query_rank or layer.hidden) * layer.index_heads * layer.index_dim
    return queries + layer.hidden * (layer.index_dim + layer.index_heads)


def _linear(layer: Layer) -> int:
    keys, values = layer.key_heads * layer.key_dim, layer.value_heads * layer.value_dim
    gate = layer.gate_rank * (layer.hidden + values) if layer.gate_rank else layer.hidden * values
    decay = layer.decay_rank * (layer.hidden + keys) if layer.decay_rank else layer.hidden * layer.value_heads
    written = layer.hidden * layer.value_heads if layer.kernel else 0
    return layer.hidden * (2 * keys + 2 * values) + gate + decay + written + layer.kernel * (2 * keys + values)


def _mamba(layer: Layer) -> int:
    channels = layer.inner + 2 * layer.state_groups * layer.state_dim
    if layer.state_heads:
        entry = layer.hidden * (layer.inner + channels + layer.state_heads)
        return entry + layer.kernel * channels + layer.inner * layer.hidden
    steps = layer.inner * (layer.step_rank + 2 * layer.state_dim) + layer.step_rank * layer.inner
    return layer.hidden * 2 * layer.inner + layer.kernel * layer.inner + steps + layer.inner * (layer.state_dim + layer.hidden)


COUNTS: dict[str, tuple[Callable[[Layer], int], ...]] = {
    "attention": (_attention,),
    "latent": (_latent,),
    "compressed": (_compressed,),
    "linear": (_linear,),
    "mamba": (_mamba,),
    "parallel": (_attention, _mamba),
    "none": (),
}
"""What each of MIXERS is made of."""

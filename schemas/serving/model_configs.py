"""Contracts of model configurations: what a config.json says, and what each of its layers holds."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, column
from schemas.status import BELIEVED, STATUS_MEANING

MIXERS = ("attention", "latent", "compressed", "linear", "mamba", "parallel", "none")
MIXER_MEANING = (
    "attention: keys and values for each head; latent: multi-head latent attention; compressed: one latent key for several "
    "tokens; linear: a state by linear attention; mamba: a state-space block; parallel: attention beside Mamba; none: no mixer"
)


def _width(meaning: str, *, unit: str = "values") -> pl.Int64:
    field: pl.Int64 = column(f"{meaning}; 0: none", unit=unit, ge=0, derived_from=("model_configuration.config",))
    return field


class ModelConfiguration(Table):
    """Figures of the configurations of models, one row each: the fields that say what the model holds, and stated counts."""

    model: str = column("canonical model", unique=True)
    developer: str = column("who trained the model, in small letters")
    hugging_face_id: str = column("repository of the weights")
    shape_of: str = column("model whose configuration stands for this one's, of which none was read", nullable=True)
    parameters_stated: float = column("parameters as the publisher or the name states them", gt=0, nullable=True)
    active_parameters_stated: float = column("active parameters as stated", gt=0, nullable=True)
    stated_locator: str = column("where they are stated", nullable=True)
    status: str = column(STATUS_MEANING, isin=BELIEVED)
    locator: str = column("repository or package, commit and file the configuration was read from", str_length={"min_value": 1})
    difference: str = column("why a count is more than 3 % from the stated one; NULL where none is", nullable=True)
    note: str = column("what to know first", nullable=True)
    config: str = column("fields of the config.json as JSON; repeated layers as a pattern and how often", nullable=True)
    source: str = column("source of the transcription")

    @pa.dataframe_check(description="a model has a configuration or takes that of another")
    def has_shape(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("config").is_not_null() != pl.col("shape_of").is_not_null())

    class Config:
        name = "raw.model_configuration"


class ModelLayer(Table):
    """Layers of each model, alike ones in one row: widths, parameters, and what is kept of tokens and sequences."""

    model: str = column("model, key of core.model_shape")
    layer_kind: pl.Int64 = column("number of the kind of layer in its model, in the order of first appearance", ge=1)
    layers: pl.Int64 = column("layers of this kind", unit="layers", ge=1)
    mixer: str = column(MIXER_MEANING, isin=MIXERS)
    mixers: pl.Int64 = column("mixers of a layer", ge=1)
    hidden: pl.Int64 = column("width of the residual stream", unit="values", gt=0)
    query_heads: pl.Int64 = _width("query heads", unit="heads")
    kv_heads: pl.Int64 = _width("KV heads", unit="heads")
    head_dim: pl.Int64 = _width("width of a query or key head, of latent attention without its positional part")
    value_head_dim: pl.Int64 = _width("width of a value head")
    rope_dim: pl.Int64 = _width("positional width beside the latent")
    query_rank: pl.Int64 = _width("rank of the query projection")
    kv_rank: pl.Int64 = _width("latent width of keys and values")
    keeps_kv: bool = column("false: reads the keys and values of another layer")
    value_is_key: bool = column("keys serve as values too")
    window_tokens: pl.Int64 = _width("tokens that the layer looks back on at most", unit="tokens")
    compression: pl.Int64 = column("tokens that share one kept entry", unit="tokens", ge=1)
    index_heads: pl.Int64 = _width("heads of the indexer of sparse attention", unit="heads")
    index_dim: pl.Int64 = _width("width of its keys")
    key_heads: pl.Int64 = _width("key heads of linear attention", unit="heads")
    value_heads: pl.Int64 = _width("value heads of linear attention", unit="heads")
    key_dim: pl.Int64 = _width("width of its keys")
    value_dim: pl.Int64 = _width("width of its values")
    inner: pl.Int64 = _width("inner width of a Mamba block")
    state_dim: pl.Int64 = _width("state of each of its channels")
    ffn_width: pl.Int64 = _width("width of the dense feed-forward part")
    ffn_matrices: pl.Int64 = column("matrices of a feed-forward part: 3 with a gate", isin=(2, 3))
    experts: pl.Int64 = _width("routed experts", unit="experts")
    experts_per_token: float = column("routed experts a token uses", ge=0)
    expert_width: pl.Int64 = _width("width of a routed expert")
    expert_hidden: pl.Int64 = _width("width in which experts work, where it is not hidden")
    shared_width: pl.Int64 = _width("width of the experts that every token uses, all together")
    mixer_parameters: float = column("parameters of the mixers of one layer", ge=0)
    dense_parameters: float = column("parameters of one layer's feed-forward part that every token uses", ge=0)
    expert_parameters: float = column("parameters of one routed expert", ge=0)
    kv_bytes_per_token: float = column("kept for a token in one layer, 2 bytes a value", unit="bytes_per_token", ge=0)
    window_kv_bytes_per_token: float = column(
        "of these, what is kept of the last window_tokens alone", unit="bytes_per_token", ge=0
    )
    index_bytes_per_token: float = column("keys of the indexer in one layer, 1 byte a value", unit="bytes_per_token", ge=0)
    state_values: float = column("values of a sequence's state in one layer", unit="values", ge=0)

    class Config:
        name = "core.model_layer"
        unique = ["model", "layer_kind"]

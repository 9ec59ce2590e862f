"""Models by their layers: configurations as transcribed, what each layer holds, and one row per model."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import polars as pl

from assets.documents import parse_all, source_asset
from assets.evidence.published import shapes_of
from economics.serving.model_parts import (
    Layer,
    dense_parameters,
    expert_parameters,
    kept_values,
    mixer_parameters,
    state_values,
    uncompressed_values,
    window_values,
)
from schemas.base import polars_schema
from schemas.evidence.published import ModelShape
from schemas.quarantine import Parsed
from schemas.serving import model_configs as contract
from sources.serving.model_config import ModelConfig
from sources.serving.model_configs import config_of, parse
from sources.source import Snapshot
from warehouse.table import table

GROUP = "published"
BYTES_PER_VALUE = 2.0
INDEX_BYTES_PER_VALUE = 1.0
"""Engines keep the keys of the indexer in 8 bits."""
FP4_BYTES_PER_VALUE = 0.5 + 1.0 / 16.0
"""Four bits and one scale of 8 bits for 16 values (NVFP4)."""
PER_LAYER_MATRICES = 3
"""Of the embedding that each layer has of its own: the way in, the gate and the way out."""

model_configurations = source_asset("model_configurations", accept=parse, group=GROUP)


@table(schema=contract.ModelConfiguration, group=GROUP)
def model_configuration(model_configurations: list[Snapshot]) -> Parsed:
    """Every configuration with its place and the counts its publisher states."""
    return parse_all(model_configurations, parse, contract.ModelConfiguration)


@table(schema=contract.ModelLayer, group=GROUP)
def model_layer(model_configuration: pl.DataFrame) -> pl.DataFrame:
    """Layers of every model with a configuration, or with that of a sibling."""
    rows = [row for model, _, config in configured(model_configuration) for row in layer_rows(model, config)]
    return pl.DataFrame(rows, schema=polars_schema(contract.ModelLayer))


@table(schema=ModelShape, group=GROUP)
def model_shape(cited_figure: pl.DataFrame, model_configuration: pl.DataFrame, model_layer: pl.DataFrame) -> pl.DataFrame:
    """Shapes that documents state, completed and joined by those of configurations."""
    return with_stated(configured_shapes(model_configuration, model_layer), shapes_of(cited_figure))


def configured(configurations: pl.DataFrame) -> Iterator[tuple[str, dict[str, Any], ModelConfig]]:
    """Each model with its row (contract `ModelConfiguration`) and its configuration as read, its own or its sibling's."""
    read = {row["model"]: config_of(row["config"]) for row in configurations.iter_rows(named=True) if row["config"]}
    for row in configurations.iter_rows(named=True):
        config = read.get(row["shape_of"] or row["model"])
        if config is not None:
            yield row["model"], row, config


def layer_rows(model: str, config: ModelConfig) -> Iterator[dict[str, Any]]:
    """Rows of the contract `ModelLayer` of one model."""
    for kind, (layers, fields) in enumerate(config.groups, start=1):
        layer = Layer(**fields)
        yield {
            **asdict(layer),
            "model": model,
            "layer_kind": kind,
            "layers": layers,
            "mixer_parameters": float(mixer_parameters(layer)),
            "dense_parameters": float(dense_parameters(layer)),
            "expert_parameters": float(expert_parameters(layer)),
            "kv_bytes_per_token": BYTES_PER_VALUE * (kept_values(layer) + uncompressed_values(layer)),
            "window_kv_bytes_per_token": BYTES_PER_VALUE * window_values(layer),
            "index_bytes_per_token": INDEX_BYTES_PER_VALUE * (layer.index_dim if layer.index_heads else 0),
            "state_values": float(state_values(layer)),
        }


def configured_shapes(configurations: pl.DataFrame, layers: pl.DataFrame) -> pl.DataFrame:
    """Shapes (contract `ModelShape`) from configurations and their layers. One that keeps no KV is left out."""
    rows = [_of_config(row, config) for _, row, config in configured(configurations)]
    columns = polars_schema(ModelShape)
    stated = {**columns, "state_bytes_per_value": pl.Float64()}
    facts = pl.DataFrame(rows, schema={name: kind for name, kind in stated.items() if rows and name in rows[0]})
    counted = facts.join(_counted(layers), on="model").filter(pl.col("kv_bytes_per_token") > 0)
    tables = pl.col("embedding_parameters")
    inside = pl.col("dense_parameters") + pl.col("expert_parameters")
    complete = counted.with_columns(
        parameters=inside + tables,
        active_parameters=pl.col("dense_parameters") + pl.col("active_expert_parameters") + tables,
        state_bytes=pl.col("state_values") * pl.col("state_bytes_per_value"),
        bf16_bytes=BYTES_PER_VALUE * (inside + tables),
        fp8_bytes=inside + BYTES_PER_VALUE * tables,
        fp4_bytes=FP4_BYTES_PER_VALUE * inside + BYTES_PER_VALUE * tables,
    )
    absent = [pl.lit(None, kind).alias(name) for name, kind in columns.items() if name not in complete.columns]
    return complete.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in columns.items())


def with_stated(read: pl.DataFrame, stated: pl.DataFrame) -> pl.DataFrame:
    """Shapes of documents with what only a configuration says, and the shapes of all other configurations.

    Both of the contract `ModelShape`. A count that a publisher prints is kept before the one that is computed.
    """
    more = [name for name in read.columns if name not in ("model", "shape_of") and stated[name].null_count() == stated.height]
    completed = stated.drop(more, "shape_of").join(read.select("model", *more, "shape_of"), on="model", how="left")
    return pl.concat([completed.select(read.columns), read.join(stated, on="model", how="anti")]).sort("model")


def _counted(layers: pl.DataFrame) -> pl.DataFrame:
    """Sums over the layers of each model. `layers`: contract `ModelLayer`."""
    n = pl.col("layers")
    routed = n * pl.col("expert_parameters")
    return layers.group_by("model").agg(
        dense_parameters=(n * (pl.col("mixer_parameters") + pl.col("dense_parameters"))).sum(),
        expert_parameters=(routed * pl.col("experts")).sum(),
        active_expert_parameters=(routed * pl.col("experts_per_token")).sum(),
        experts=pl.when(pl.col("experts") > 0).then("experts").max(),
        experts_per_token=pl.when(pl.col("experts") > 0).then("experts_per_token").max(),
        expert_layers=pl.when((n * (pl.col("experts") > 0)).sum() > 0).then((n * (pl.col("experts") > 0)).sum()),
        kv_bytes_per_token=(n * pl.col("kv_bytes_per_token")).sum(),
        window_kv_bytes_per_token=(n * pl.col("window_kv_bytes_per_token")).sum(),
        window_tokens=pl.when(pl.col("window_tokens") > 0).then("window_tokens").max(),
        index_bytes_per_token=(n * pl.col("index_bytes_per_token")).sum(),
        state_values=(n * pl.col("state_values")).sum(),
    )


def _of_config(row: dict[str, Any], config: ModelConfig) -> dict[str, Any]:
    """What a row of the contract `ModelConfiguration` and its configuration say without a sum over layers."""
    tables = config.vocabulary * config.hidden * (1 if config.tied else 2)
    per_layer = config.layers * config.per_layer_embedding * (config.vocabulary + PER_LAYER_MATRICES * config.hidden)
    return {
        "model": row["model"],
        "hugging_face_id": row["hugging_face_id"],
        "layers": config.layers,
        "hidden": config.hidden,
        "query_heads": config.query_heads or None,
        "kv_heads": None if config.kv_rank else config.kv_heads,
        "head_dim": config.head_dim,
        "value_head_dim": config.value_head_dim if config.value_head_dim != config.head_dim else None,
        "mla_latent_dim": config.kv_rank,
        "mla_rope_dim": config.rope_dim,
        "embedding_parameters": float(tables + per_layer),
        "prediction_layers": config.prediction_layers,
        "vocabulary": config.vocabulary,
        "attended_tokens": config.attended_tokens,
        "stored_as": config.stored_as,
        "stated_parameters": row["parameters_stated"],
        "stated_active_parameters": row["active_parameters_stated"],
        "stated_locator": row["stated_locator"],
        "difference": row["difference"],
        "shape_of": row["shape_of"],
        "status": row["status"],
        "locator": row["locator"],
        "note": row["note"],
        "state_bytes_per_value": config.state_bytes_per_value,
    }

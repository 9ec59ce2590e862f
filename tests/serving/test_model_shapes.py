"""Shapes of models from their configurations: each kind of layer by hand, every count beside the stated one, names."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.evidence.published import shapes_of
from assets.serving.model_shapes import configured, configured_shapes, layer_rows, with_stated
from economics.serving.model_parts import (
    Layer,
    dense_parameters,
    expert_parameters,
    kept_values,
    mixer_parameters,
    state_values,
)
from schemas.base import polars_schema
from schemas.evidence.published import ModelShape
from schemas.serving.model_configs import ModelConfiguration, ModelLayer
from sources.prices.model_map import ID, resolve
from sources.prices.model_spelling import meaning
from sources.serving.model_config import read_config
from sources.serving.model_configs import FILE, parse, written_out
from sources.source import Snapshot
from tests.evidence.test_published_figures import CITED

CONFIGURATIONS = parse(
    Snapshot("model_config", FILE.read_bytes(), "0" * 64, "seed", "model_config", fetched_at=datetime(2026, 11, 30, tzinfo=UTC))
).accepted
LAYERS = pl.DataFrame(
    [row for model, _, config in configured(CONFIGURATIONS) for row in layer_rows(model, config)],
    schema=polars_schema(ModelLayer),
)
READ = configured_shapes(CONFIGURATIONS, LAYERS)
SHAPES = with_stated(READ, shapes_of(CITED))
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "models"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the configurations as collected are not at hand")
STATED_WITHIN = 0.03

LLAMA = {
    "model_type": "llama",
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
}


def shape(model: str) -> dict[str, Any]:
    return SHAPES.filter(model=model).row(0, named=True)


def test_tables_keep_their_contracts() -> None:
    ModelConfiguration.validate(CONFIGURATIONS, lazy=True)
    ModelLayer.validate(LAYERS, lazy=True)
    ModelShape.validate(SHAPES, lazy=True)
    assert SHAPES.height >= 150


def test_a_dense_model_by_hand() -> None:
    config = read_config(LLAMA)
    ((layers, fields),) = config.groups
    layer = Layer(**fields)
    assert layers == 32
    assert mixer_parameters(layer) == 4096 * 128 * (2 * 32 + 2 * 8)
    assert dense_parameters(layer) == 3 * 4096 * 14336
    assert kept_values(layer) == 2 * 8 * 128
    assert (config.hidden, config.vocabulary, config.tied, config.stored_as) == (4096, 128256, False, "bf16")
    row = shape("llama-3.1-8b")
    assert row["embedding_parameters"] == 2 * 128256 * 4096
    assert row["parameters"] == pytest.approx(8.03e9, rel=1e-3)
    assert row["fp8_bytes"] == pytest.approx(row["bf16_bytes"] / 2 + row["embedding_parameters"])


def test_experts_beside_shared_ones_after_dense_layers_with_latent_attention() -> None:
    first, others = LAYERS.filter(model="deepseek-v3.1").iter_rows(named=True)
    assert (first["layers"], first["ffn_width"], first["experts"]) == (3, 18432, 0)
    assert (others["layers"], others["experts"], others["experts_per_token"], others["shared_width"]) == (58, 256, 8, 2048)
    assert others["expert_parameters"] == 3 * 7168 * 2048
    queries = 1536 * (7168 + 128 * 192)
    kept, raised = 7168 * (512 + 64), 512 * 128 * (128 + 128)
    assert others["mixer_parameters"] == queries + kept + raised + 7168 * 128 * 128
    row = shape("deepseek-v3.1")
    assert (row["kv_bytes_per_token"], row["prediction_layers"], row["expert_layers"]) == (61 * 576 * 2, 1, 58)
    assert row["expert_parameters"] == 58 * 256 * 3 * 7168 * 2048


def test_windows_states_and_the_indexer_are_told_apart() -> None:
    gemma = shape("gemma-3-27b")
    assert gemma["window_kv_bytes_per_token"] == 52 * 2 * 2 * 16 * 128
    assert gemma["kv_bytes_per_token"] == 62 * 2 * 2 * 16 * 128
    assert gemma["window_tokens"] == 1024
    hybrid = shape("qwen3-next-80b-a3b")
    assert hybrid["kv_bytes_per_token"] == 12 * 2 * 2 * 2 * 256
    assert hybrid["state_bytes"] == 36 * 2 * (32 * 128 * 128 + 3 * (2 * 16 * 128 + 32 * 128))
    assert shape("nemotron-3-super-120b-a12b")["state_bytes"] == 40 * 4 * (8192 * 128 + 3 * (8192 + 2 * 8 * 128))
    sparse = shape("deepseek-v3.2")
    assert (sparse["index_bytes_per_token"], sparse["attended_tokens"]) == (61 * 128, 2048)
    assert shape("llama-3.1-70b")["window_tokens"] is None


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"num_local_experts": 8, "num_experts_per_tok": 2}, {"experts": 8, "experts_per_token": 2.0, "expert_width": 14336}),
        ({"sliding_window": 512}, {"window_tokens": 512}),
        ({"sliding_window": 512, "use_sliding_window": False}, {}),
        ({"head_dim": 64}, {"head_dim": 64, "value_head_dim": 64}),
        ({"text_config": {"num_key_value_heads": 4}}, {"kv_heads": 4}),
    ],
)
def test_fields_are_read_by_what_they_say(extra: dict[str, Any], expected: dict[str, Any]) -> None:
    ((_, fields),) = read_config({**LLAMA, **extra}).groups
    ((_, plain),) = read_config(LLAMA).groups
    assert {name: value for name, value in fields.items() if plain.get(name) != value or name in expected} == expected | {
        name: fields[name] for name in fields if name not in expected and plain.get(name) != fields[name]
    }
    assert all(fields[name] == value for name, value in expected.items())


@pytest.mark.parametrize(
    ("told", "stored"),
    [
        ({"quant_method": "fp8"}, "fp8"),
        ({"quant_method": "mxfp4"}, "fp4"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "fp4"),
        ({"quant_method": "awq"}, "int4"),
        ({"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"num_bits": 8, "type": "float"}}}}, "fp8"),
        (None, "bf16"),
    ],
)
def test_the_format_of_the_checkpoint_is_read(told: dict[str, Any] | None, stored: str) -> None:
    assert read_config({**LLAMA, "quantization_config": told}).stored_as == stored


@pytest.mark.parametrize("missing", ["hidden_size", "num_hidden_layers", "vocab_size"])
def test_a_file_that_is_no_configuration_is_refused_with_the_field(missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        read_config({name: value for name, value in LLAMA.items() if name != missing})


def test_every_count_is_near_the_stated_one_or_says_why_not() -> None:
    for computed, stated in (("parameters", "stated_parameters"), ("active_parameters", "stated_active_parameters")):
        off = READ.filter((pl.col(computed) / pl.col(stated) - 1).abs() > STATED_WITHIN, pl.col("difference").is_null())
        assert off.is_empty(), off.select("model", computed, stated)
    assert READ["stated_parameters"].is_not_null().sum() >= 140


def test_siblings_take_the_shape_and_are_marked() -> None:
    for model, of in (("glm-4.6", "glm-4.7"), ("kimi-k2-0905", "kimi-k2"), ("deepseek-v3-0324", "deepseek-v3")):
        row, sibling = shape(model), READ.filter(model=of).row(0, named=True)
        assert (row["shape_of"], row["status"]) == (of, "derived")
        assert row["kv_bytes_per_token"] == sibling["kv_bytes_per_token"]


def test_a_row_more_is_a_model_more() -> None:
    row = {
        "model": "new-7b",
        "developer": "someone",
        "hugging_face_id": "someone/New-7B",
        "status": "quoted",
        "locator": "someone/New-7B, config.json",
        "source": "model_config",
        "config": json.dumps(LLAMA),
    }
    one = pl.DataFrame([row], schema=polars_schema(ModelConfiguration))
    layers = [row for model, _, config in configured(one) for row in layer_rows(model, config)]
    found = configured_shapes(one, pl.DataFrame(layers, schema=polars_schema(ModelLayer)))
    assert found["parameters"].item() == pytest.approx(8.03e9, rel=1e-3)


def test_patterns_are_written_out() -> None:
    assert written_out({"a": {"pattern": ["x", "y"], "times": 2, "then": ["z"]}}) == {"a": ["x", "y", "x", "y", "z"]}


def test_one_name_and_a_table_of_names_mean_the_same() -> None:
    written = [*CONFIGURATIONS["hugging_face_id"], *CONFIGURATIONS["model"], "GPT-OSS 120B", "llama3.1:8b", "Claude Opus 4.5"]
    ids = pl.DataFrame({"source": ["a_tool"] * len(written), "source_provider": ["a host"] * len(written), "m": written})
    found = resolve(ids.rename({"m": ID[-1]}))["model"].to_list()
    assert found == [meaning(name) for name in written]
    assert None not in found[: 2 * CONFIGURATIONS.height]


@pytest.mark.parametrize(
    ("written", "model"),
    [
        ("meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b"),
        ("Llama 3.3 70B", "llama-3.3-70b"),
        ("us.meta.llama3-3-70b-instruct-v1:0", "llama-3.3-70b"),
        ("deepseek-ai/DeepSeek-V3.2", "deepseek-v3.2"),
        ("/models/DeepSeek-R1", "deepseek-r1"),
        ("Qwen/Qwen3-32B-FP8", "qwen3-32b"),
        ("Qwen3 32B", "qwen3-32b"),
        ("zai-org/GLM-4.6", "glm-4.6"),
        ("openai/gpt-oss-120b", "gpt-oss-120b"),
        ("moonshotai/Kimi-K2-Instruct-0905", "kimi-k2-0905"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"),
        ("nvidia/DeepSeek-R1-0528-FP4-V2", "deepseek-r1-0528"),
        ("Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", "llama-3.1-8b"),
        ("hf.co/Qwen/Qwen3-8B-GGUF", "qwen3-8b"),
        ("models--Qwen--Qwen3-8B", "qwen3-8b"),
        ("meta-llama__Llama-3.3-70B-Instruct", "llama-3.3-70b"),
        ("/data/models/Qwen3-32B/", "qwen3-32b"),
        ("neuralmagic/Meta-Llama-3.1-70B-Instruct-quantized.w8a8", "llama-3.1-70b"),
        ("qwen3:8b", "qwen3-8b"),
        ("Voodoo-7B", None),
    ],
)
def test_what_people_write_means_one_model(written: str, model: str | None) -> None:
    assert meaning(written) == model


@pytest.mark.published
@needs_data
def test_the_transcription_agrees_with_the_files() -> None:
    with (DATA / "models.csv").open(newline="") as lines:
        rows = {row["file"].removeprefix("models/")[:-5].replace("__", "/"): row for row in csv.DictReader(lines)}
    counted = READ.filter(pl.col("shape_of").is_null(), pl.col("hugging_face_id").is_in(list(rows)))
    assert counted.height >= 175
    for row in counted.iter_rows(named=True):
        source = rows[row["hugging_face_id"].replace("granite-3.3-8b-instruct", "granite-3.x-8b")]
        for computed, column in (
            (row["parameters"], "total_params_computed"),
            (row["active_parameters"], "active_params_computed"),
        ):
            assert computed == pytest.approx(float(source[column]), rel=0.02), row["model"]


def test_states_of_mamba_and_linear_attention_by_hand() -> None:
    linear = Layer(hidden=8, mixer="linear", key_heads=2, value_heads=4, key_dim=3, value_dim=5, kernel=4)
    assert state_values(linear) == 4 * 3 * 5 + 3 * (2 * 2 * 3 + 4 * 5)
    mamba = Layer(hidden=8, mixer="mamba", inner=16, state_dim=4, state_groups=1, state_heads=2, kernel=4)
    assert state_values(mamba) == 16 * 4 + 3 * (16 + 2 * 4)
    assert kept_values(mamba) == 0.0
    assert expert_parameters(Layer(hidden=8, mixer="none", experts=4, expert_width=6, ffn_matrices=2)) == 2 * 8 * 6

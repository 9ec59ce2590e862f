"""The roofline of a step with its fixed time: golden values by hand, limits, and what splits change."""

from dataclasses import replace

import numpy as np
import pytest

from economics.serving.engine_time import (
    Device,
    EngineConstants,
    Instance,
    ServedModel,
    Split,
    attention_s,
    decode_s,
    fixed_s,
    links_s,
    most_sequences,
    prefill_s,
    weights_s,
)

H200 = Device(
    flop_per_s=1979e12,
    attention_flop_per_s=989e12,
    memory_bytes_per_s=4.8e12,
    memory_bytes=141e9,
    link_bytes_per_s=450e9,
    network_bytes_per_s=50e9,
    domain_gpus=8.0,
)
R1 = ServedModel(
    layers=61,
    hidden=7168,
    dense_parameters=16.19e9,
    dense_bytes=17.117e9,
    expert_parameters=653.9e9,
    expert_bytes=653.9e9,
    expert_share=8 / 256,
    experts_per_token=8,
    attention_bytes=11.4e9,
    kv_bytes_per_layer=2 * 576,
    kv_layers=61,
    kv_split=1,
    decode_flop_per_pair=2 * 128 * 1088,
    prefill_flop_per_pair=2 * 128 * 320,
    launch_factor=2,
)
LLAMA_8B = ServedModel(
    layers=32,
    hidden=4096,
    dense_parameters=7.5e9,
    dense_bytes=15e9,
    kv_bytes_per_layer=4096,
    kv_layers=32,
    kv_split=8,
    decode_flop_per_pair=16384,
    prefill_flop_per_pair=16384,
)
SGLANG = EngineConstants(layer_s=58e-6)
INSTANCE = Instance(model=R1, device=H200, split=Split(gpus=8), constants=SGLANG)


def test_golden_parts_of_deepseek_r1_on_eight_h200() -> None:
    """64 in flight, lengths of .9 of 1,024: fix 7.1, gemm 20.3, attention 1.7 and links 1.7 ms (formula S17)."""
    assert fixed_s(INSTANCE) == pytest.approx(7.08e-3, rel=0.01)
    assert weights_s(INSTANCE, tokens=64) == pytest.approx(20.3e-3, rel=0.01)
    assert attention_s(INSTANCE, sequences=64, context_tokens=1382) == pytest.approx(1.73e-3, rel=0.01)
    assert links_s(INSTANCE, tokens=64) == pytest.approx(1.74e-3, rel=0.01)
    whole = decode_s(INSTANCE, sequences=64, context_tokens=1382)
    assert whole == pytest.approx(30.8e-3, rel=0.01)


def test_without_fixed_time_and_links_a_dense_decode_step_reads_weights_and_kv() -> None:
    """The plain form of section 2: (weights + B KV c) / (MBU BW)."""
    device = replace(H200, link_bytes_per_s=1e30, flop_per_s=1e30, attention_flop_per_s=1e30)
    constants = EngineConstants(layer_s=0.0, memory_share_reached=0.8)
    plain = Instance(model=LLAMA_8B, device=device, split=Split(gpus=1), constants=constants)
    read_bytes = 15e9 + 10 * 32 * 4096 * 1000
    assert decode_s(plain, sequences=10, context_tokens=1000) == pytest.approx(read_bytes / (0.8 * 4.8e12))


def test_a_long_prefill_is_bound_by_arithmetic() -> None:
    plain = Instance(
        model=LLAMA_8B, device=H200, split=Split(gpus=1), constants=EngineConstants(layer_s=0.0, flop_share_reached=0.5)
    )
    attended_s = 8192 * 32 * 4096 * 16384 / (0.5 * 989e12)
    assert prefill_s(plain, prompts=1, input_tokens=8192) == pytest.approx(2 * 8192 * 7.5e9 / (0.5 * 1979e12) + attended_s)


def test_experts_are_read_as_far_as_tokens_touch_them() -> None:
    """One token reads 8 of 256 experts, many tokens read all, and never more."""
    few, many, more = (weights_s(INSTANCE, tokens=tokens) for tokens in (1, 30, 60))
    bandwidth = 0.75 * 4.8e12 * 8
    assert few == pytest.approx(17.117e9 / bandwidth + 653.9e9 / 32 / bandwidth, rel=1e-6)
    assert few < many < more < 17.117e9 / bandwidth + 653.9e9 / bandwidth


def test_latent_kv_is_read_by_each_gpu_unless_attention_is_data_parallel() -> None:
    memory_bound = replace(H200, attention_flop_per_s=1e30)
    tensor = replace(INSTANCE, device=memory_bound)
    data = replace(tensor, split=Split(gpus=8, attention_data_parallel=1.0))
    whole = attention_s(tensor, sequences=64, context_tokens=4096)
    assert whole == pytest.approx(8 * attention_s(data, sequences=64, context_tokens=4096))
    assert most_sequences(data, context_tokens=4096) > 5 * most_sequences(tensor, context_tokens=4096)


def test_a_split_beyond_the_scale_up_domain_pays_for_the_network() -> None:
    inside = replace(INSTANCE, device=replace(H200, domain_gpus=64.0), split=Split(gpus=32, attention_data_parallel=1.0))
    beyond = replace(inside, device=replace(H200, network_bytes_per_s=25e9))
    assert links_s(beyond, tokens=32_768) > links_s(inside, tokens=32_768)
    tensor = replace(beyond, split=Split(gpus=32))
    assert links_s(tensor, tokens=1024) > 2 * links_s(replace(tensor, device=inside.device), tokens=1024)
    assert links_s(replace(INSTANCE, split=Split(gpus=1)), tokens=1024) == 0.0


def test_pipeline_stages_share_the_batch_and_add_memory() -> None:
    one, two = (replace(INSTANCE, split=Split(gpus=8, stages=stages)) for stages in (1, 2))
    assert decode_s(two, sequences=128, context_tokens=1000) == pytest.approx(decode_s(one, sequences=64, context_tokens=1000))
    assert most_sequences(two, context_tokens=1000) > 2 * most_sequences(one, context_tokens=1000)


def test_layers_with_a_window_read_no_more_than_it() -> None:
    window = replace(LLAMA_8B, kv_layers=16, window_layers=16, window_tokens=128)
    full = Instance(model=LLAMA_8B, device=H200, split=Split(gpus=1), constants=SGLANG)
    short = replace(full, model=window)
    ratio = attention_s(short, sequences=8, context_tokens=8192) / attention_s(full, sequences=8, context_tokens=8192)
    assert ratio == pytest.approx((16 + 16 * 128 / 8192) / 32)


def test_weights_that_do_not_fit_leave_room_for_no_sequence() -> None:
    assert most_sequences(replace(INSTANCE, split=Split(gpus=4)), context_tokens=1000) == 0.0


def test_arrays_and_scalars_agree() -> None:
    batch = np.array([1.0, 8.0, 64.0])
    together = decode_s(INSTANCE, sequences=batch, context_tokens=1000)
    assert together == pytest.approx([decode_s(INSTANCE, sequences=one, context_tokens=1000) for one in batch])
    assert np.all(np.diff(together) > 0)


@pytest.mark.parametrize("field", ["flop_per_s", "memory_bytes_per_s", "link_bytes_per_s"])
def test_a_peak_of_nothing_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        replace(H200, **{field: 0.0})

"""Designs on fitted step times: the plain forms are their limit, and costs and break-evens move as they must."""

from dataclasses import replace

import numpy as np
import pytest

from economics.serving.cost import cost
from economics.serving.engine_designs import (
    break_even_bandwidth,
    break_even_rate,
    chunked_cost,
    crossing,
    decode_pool_usd,
    prefill_pool_usd,
    replica,
    running_within,
    unchunked_cost,
)
from economics.serving.engine_time import Device, EngineConstants, Instance, ServedModel, Split, decode_s
from economics.serving.symbols import Contract, Hardware, Model, Refinements, RequestShape, Scenario, Transfer

INPUT, CONTEXT, USD = 3500.0, 4096.0, 2.5


def llama_8b(*, layer_s=0.0, gpus=(1.0,)):
    """Llama-3.1-8B on H100, fixed times and links at 0 unless told, shares of the peaks those of the plain forms."""
    model = ServedModel(
        layers=32.0,
        hidden=4096.0,
        dense_parameters=8e9,
        dense_bytes=16e9,
        kv_bytes_per_layer=4096.0,
        kv_layers=32.0,
        kv_split=8.0,
        decode_flop_per_pair=0.0,
        prefill_flop_per_pair=4.0 * 4096.0,
    )
    device = Device(
        flop_per_s=989e12, attention_flop_per_s=989e12, memory_bytes_per_s=3.35e12, memory_bytes=80e9, link_bytes_per_s=450e9
    )
    constants = EngineConstants(layer_s=layer_s, memory_share_reached=0.8, first_token_s=0.0)
    instance = Instance(model=model, device=device, split=Split(gpus=np.array(gpus)), constants=constants)
    return replica(instance, usd_per_gpu_hour=USD, input_tokens=INPUT, context_tokens=CONTEXT)


def plain(*, ratio, ttft_s, tpot_s, rate=16.0, width=50e9):
    return Scenario(
        hardware=Hardware(usd_per_gpu_hour=USD, flops_per_s=989e12, hbm_bytes_per_s=3.35e12, hbm_bytes=80e9),
        model=Model(
            active_parameters=8e9, weight_bytes=16e9, kv_bytes_per_token=131_072.0, layers=32, query_heads=32, head_dim=128
        ),
        workload=RequestShape(input_tokens=INPUT, input_per_output=ratio, context_tokens=CONTEXT, arrival_rate_per_s=rate),
        contract=Contract(ttft_s=ttft_s, tpot_s=tpot_s),
        transfer=Transfer(bandwidth_bytes_per_s=width),
        refinements=Refinements(ttft_coupling=True, prefill_attention=True),
    )


@pytest.mark.parametrize("tpot_s", [0.012, 0.02, 0.05, 0.1])
@pytest.mark.parametrize("ratio", [0.5, 4.0, 32.0])
def test_without_fixed_times_and_links_the_designs_are_the_plain_forms(ratio, tpot_s):
    of, scenario = llama_8b(), plain(ratio=ratio, ttft_s=1.0, tpot_s=tpot_s)
    bounds = {"input_per_output": ratio, "ttft_s": 1.0, "tpot_s": tpot_s}
    for found, name in ((chunked_cost(of, **bounds), "chunked"), (unchunked_cost(of, **bounds), "unchunked")):
        assert found.usd == pytest.approx(cost(scenario=scenario, architecture=name).usd_per_token, rel=1e-4)
    prefill, kv_tax = prefill_pool_usd(of, arrival_rate_per_s=16.0, kv_bytes_per_s_per_gpu=50e9, ttft_s=1.0)
    split = cost(scenario=scenario, architecture="disaggregated")
    assert prefill * ratio == pytest.approx(split.prefill_usd_per_token, rel=1e-9)
    assert kv_tax * ratio == pytest.approx(split.kv_tax_usd_per_token, rel=1e-9)
    assert decode_pool_usd(of, tpot_s=tpot_s) == pytest.approx(split.decode_usd_per_token, rel=1e-4)


@pytest.mark.parametrize("step_s", [0.001, 0.008, 0.02, 0.05, 1.0])
def test_the_batch_is_the_largest_whose_step_fits(step_s):
    of = llama_8b(layer_s=80e-6)
    batch = running_within(of, step_s=step_s, each_s=1e-5)
    step = lambda b: decode_s(of.instance, sequences=b, context_tokens=CONTEXT) + b * 1e-5  # noqa: E731
    if batch == 0.0:
        assert step(1.0) > step_s
    else:
        assert step(batch) <= step_s * (1 + 1e-5)
        assert batch == pytest.approx(of.most) or step(batch * 1.001) > step_s


def test_a_design_takes_the_cheapest_spread_and_never_a_dearer_one():
    """Two GPUs read the weights in half the time: worth it where the bound is tight, not where memory is enough."""
    bounds = {"input_per_output": 4.0, "ttft_s": 5.0}
    for tpot_s in (0.008, 0.02, 0.1):
        both, one = (
            chunked_cost(llama_8b(layer_s=80e-6, gpus=gpus), tpot_s=tpot_s, **bounds).usd for gpus in ((1.0, 2.0), (1.0,))
        )
        assert both <= one
    assert np.isfinite(chunked_cost(llama_8b(layer_s=80e-6, gpus=(1.0, 2.0)), tpot_s=0.009, **bounds).usd)
    assert np.isinf(chunked_cost(llama_8b(layer_s=80e-6), tpot_s=0.008, **bounds).usd)


def test_fixed_time_makes_every_design_dearer():
    bounds = {"input_per_output": 4.0, "ttft_s": 1.0, "tpot_s": 0.03}
    cheap, dear = (chunked_cost(llama_8b(layer_s=layer_s), **bounds).usd for layer_s in (0.0, 80e-6))
    assert dear > cheap * 1.05


@pytest.mark.parametrize("factor", [1.02, 1.05, 1.2])
def test_at_its_break_even_rate_a_pool_costs_what_is_affordable(factor):
    of = llama_8b(layer_s=80e-6)
    affordable = of.usd_per_s * of.prompt_s / INPUT * factor
    asked = {"kv_bytes_per_s_per_gpu": 200e9, "ttft_s": 1.0}
    rate = float(break_even_rate(of, affordable_usd=affordable, **asked))
    above, below = (sum(prefill_pool_usd(of, arrival_rate_per_s=rate * side, **asked)) for side in (1.001, 0.999))
    assert 0.0 < rate < np.inf
    assert above <= affordable * (1 + 1e-9)
    assert below > affordable


def test_at_its_break_even_bandwidth_a_pool_costs_what_is_affordable():
    of = llama_8b(layer_s=80e-6)
    affordable = of.usd_per_s * of.prompt_s / INPUT * 1.3
    asked = {"arrival_rate_per_s": 16.0, "ttft_s": 1.0}
    width = float(break_even_bandwidth(of, affordable_usd=affordable, kv_bytes_per_s_per_gpu=50e9, **asked))
    prefill, kv_tax = prefill_pool_usd(of, kv_bytes_per_s_per_gpu=width * 1.0001, **asked)
    assert prefill + kv_tax == pytest.approx(affordable, rel=0.05)  # the pool of the cell is kept: whole replicas
    assert float(break_even_bandwidth(of, affordable_usd=affordable * 0.5, kv_bytes_per_s_per_gpu=50e9, **asked)) == np.inf


LINE = np.array([1.0, 2.0, 4.0, 8.0])


@pytest.mark.parametrize(
    ("gap", "below", "expected"),
    [
        ([1.0, 1.0, -1.0, -1.0], False, 2.0 * np.sqrt(2.0)),
        ([-1.0, -1.0, -1.0, -1.0], False, 0.0),
        ([1.0, 1.0, 1.0, 1.0], False, np.inf),
        ([-1.0, 1.0, 1.0, 1.0], False, -np.inf),
        ([1.0, -1.0, 1.0, -1.0], False, -np.inf),
        ([1.0, -1.0, 1.0, 1.0], True, -np.inf),
        ([np.nan] * 4, False, np.nan),
        ([np.inf, np.inf, -1.0, -1.0], False, 2.0 * np.sqrt(2.0)),
        ([-1.0, -1.0, 1.0, 3.0], True, 2.0 * np.sqrt(2.0)),
        ([1.0, 1.0, 1.0, 1.0], True, 0.0),
        ([-1.0, -1.0, -1.0, -1.0], True, np.inf),
        ([np.nan, -1.0, 1.0, 1.0], True, 2.0 * np.sqrt(2.0)),
    ],
)
def test_a_crossing_lies_between_the_places_whose_signs_differ(gap, below, expected):
    assert crossing(np.array(gap), LINE, below=below) == pytest.approx(expected, nan_ok=True)


def test_pools_that_reach_less_cost_more():
    of = llama_8b(layer_s=80e-6)
    less = replace(of, pools_reached=0.9)
    assert decode_pool_usd(less, tpot_s=0.05) == pytest.approx(decode_pool_usd(of, tpot_s=0.05) / 0.9)

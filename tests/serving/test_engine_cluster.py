"""Replicas of real engines, request by request: their curves, their saturation, and against the closed forms."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assets.serving.engine import beside_fit, intervals_of
from assets.serving.engine_answers import Fit, answered, fit_of
from assets.serving.engine_clusters import cluster_of_run, run_of
from assets.serving.engine_fit import fit_runs
from economics.serving.engine_cluster import Replicas, attention_curve, colocated_cluster, decode_curve, prompt_curve
from economics.serving.engine_load import Work, arrivals, closed_loop
from economics.serving.engine_time import EngineConstants, Split, decode_s, most_sequences, prefill_s
from economics.serving.promise import served
from economics.serving.request_load import even
from economics.serving.simulation import simulate
from tests.serving.measured import operating_points, runs
from tests.serving.test_engine_time import INSTANCE, LLAMA_8B

SMALL = replace(INSTANCE, model=LLAMA_8B, split=Split(gpus=1), constants=EngineConstants(layer_s=81e-6))
LENGTHS = {"input_tokens": 922.0, "output_tokens": 922.0}
WORK = Work(**LENGTHS)
REPLICAS = Replicas(instance=SMALL, count=1, work=WORK, most_sequences=200)


def test_curves_are_the_passes():
    batch = np.array([1, 7, 200])
    exact = decode_s(SMALL, sequences=batch, context_tokens=922 + 461)
    assert decode_curve(REPLICAS).at(batch) == pytest.approx(exact)
    for tokens in (512, 4_096, 20_000, 100_000):
        found = prompt_curve(REPLICAS).at(tokens) + attention_curve(REPLICAS).at(tokens)
        assert found == pytest.approx(prefill_s(SMALL, prompts=1.0, input_tokens=tokens), rel=1e-3)


def test_drafts_and_measured_runs_move_the_curves():
    drafted = replace(REPLICAS, work=replace(WORK, tokens_per_step=1.25), paced=0.8)
    assert decode_curve(drafted).at(64) == pytest.approx(0.8 / 1.25 * decode_curve(REPLICAS).at(64))
    assert prompt_curve(drafted).at(640) == pytest.approx(0.8 * prompt_curve(REPLICAS).at(640))
    cached = replace(REPLICAS, work=replace(WORK, cached_share=0.5))
    whole = prompt_curve(cached).at(8_192) + attention_curve(cached).at(8_192)
    assert whole == pytest.approx(prefill_s(SMALL, prompts=1.0, input_tokens=8_192, cached_share=0.5), rel=1e-3)


@pytest.mark.parametrize("chunked", [True, False])
def test_a_saturated_engine_yields_what_the_closed_loop_says(chunked: bool):
    """Everything waits from the start; 200 run at once, as in a closed loop of 200."""
    cluster = colocated_cluster(REPLICAS, chunked=chunked, first_token_s=0.0)
    count = np.full(4_000, 922)
    found = simulate(cluster, arrival_s=np.zeros(4_000), input_tokens=count, output_tokens=count)
    loop = closed_loop(SMALL, WORK, concurrency=200.0, running_most=200.0)
    assert 4_000 * 922 / found.makespan_s == pytest.approx(float(loop.output_tokens_per_s), rel=0.1)


def test_light_arrivals_wait_for_little_but_their_own_prompt():
    cluster = colocated_cluster(REPLICAS, chunked=True, first_token_s=0.02)
    found = served(cluster, even(**LENGTHS, seconds=4_000.0), rate_per_s=0.5, seed=1)
    form = arrivals(SMALL, WORK, requests_per_s=0.5, running_most=200.0)
    assert np.median(found.ttft_s) == pytest.approx(float(form.ttft_p50_s), rel=0.2)
    assert np.nanmedian(found.tpot_s) == pytest.approx(float(form.tpot_p50_s), rel=0.1)


@pytest.mark.parametrize(("share", "p50_off", "p99_off"), [(0.1, 0.1, 0.2), (0.5, 0.2, 0.25), (0.7, 0.25, 0.3)])
@pytest.mark.parametrize("lengths", [(512, 256), (1_024, 1_024), (2_000, 100)])
def test_the_first_token_of_arrivals_is_as_late_as_the_simulation_says(
    share: float, p50_off: float, p99_off: float, lengths: tuple[int, int]
):
    """The closed form's wait for prompts and places, at a share of capacity."""
    work = Work(input_tokens=float(lengths[0]), output_tokens=float(lengths[1]))
    most = float(most_sequences(SMALL, context_tokens=work.context_tokens, most=1_024.0))
    full = arrivals(SMALL, work, requests_per_s=1e9, running_most=most)
    rate = share * float(full.output_tokens_per_s) / lengths[1]
    cluster = colocated_cluster(replace(REPLICAS, work=work, most_sequences=int(most)), chunked=True, first_token_s=0.02)
    load = even(input_tokens=lengths[0], output_tokens=lengths[1], seconds=8_000 / rate)
    found = served(cluster, load, rate_per_s=rate, seed=1)
    form = arrivals(SMALL, work, requests_per_s=rate, running_most=most)
    late = found.ttft_s[800:]
    assert float(form.ttft_p50_s) == pytest.approx(np.median(late), rel=p50_off)
    assert float(form.ttft_p99_s) == pytest.approx(np.quantile(late, 0.99), rel=p99_off)


@pytest.fixture(scope="module")
def fit(refreshed: Path) -> Fit:
    known = {
        name: pl.read_parquet(refreshed / "tables" / "core" / f"{name}.parquet")
        for name in ("model_shape", "model_layer", "gpu")
    }
    points = operating_points(known["model_shape"], known["model_layer"], known["gpu"])
    table = runs(known["model_shape"], known["model_layer"], known["gpu"], points)
    fitted = beside_fit(table, fit_runs(table))
    return fit_of(engine_run=fitted, prediction_interval=intervals_of(fitted), **known)


RUN = {"model": "qwen3-32b", "gpu": "h100-sxm", "engine": "vllm", "precision": "bf16"} | {
    "input_tokens": 1_000,
    "output_tokens": 200,
}


def test_a_row_becomes_the_cluster_it_describes(fit: Fit):
    run = run_of(**RUN, gpus=4, tp=2, request_rate_per_s=1.0)
    cluster = cluster_of_run(run, fit)
    assert (cluster.architecture, cluster.replicas) == ("chunked", 2)
    found = served(cluster, even(input_tokens=1_000, output_tokens=200, seconds=2_000.0), rate_per_s=1.0, seed=1)
    said = answered(run, fit).row(0, named=True)
    assert np.nanmedian(found.tpot_s) == pytest.approx(said["tpot_p50_s_predicted"], rel=0.1)


def test_pools_become_pools(fit: Fit):
    pools = {"prefill_gpus": 8.0, "decode_gpus": 16.0, "prefill_workers": 2.0, "decode_workers": 4.0}
    cluster = cluster_of_run(
        run_of(**RUN, gpus=24, concurrency=256, disaggregated=True, **pools), fit, transfer_s_per_token=1e-6
    )
    assert (cluster.architecture, cluster.prefill_replicas, cluster.replicas) == ("disaggregated", 2, 4)
    assert cluster.transfer_s_per_token == 1e-6


def test_a_row_that_cannot_be_timed_is_refused(fit: Fit):
    with pytest.raises(ValueError, match="no step time of no-such-model"):
        cluster_of_run(run_of(**RUN | {"model": "no-such-model"}), fit)
    with pytest.raises(ValueError, match="no gpu_count"):
        run_of(**RUN, gpu_count=2)
    with pytest.raises(ValueError, match="one row"):
        cluster_of_run(pl.concat([run_of(**RUN)] * 2), fit)

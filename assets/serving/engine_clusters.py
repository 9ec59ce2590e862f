"""The cluster that a run describes, for the simulation: step times of the fit, paced as measured runs near it say.

`served(cluster_of_run(run_of(model=..., gpu=..., ...), fit), even(input_tokens=1000, ...), rate_per_s=4.0, seed=1)` is every
request of ten minutes or a million: `economics.serving.promise`, `economics.serving.request_load`.
"""

import polars as pl

from assets.serving.engine_answers import Fit, answered
from assets.serving.engine_parts import family
from assets.serving.engine_runs import FLAGS, NAMES, RUN_COLUMNS, predicted, with_parts
from assets.serving.engine_systems import OPTIONS, Column, device_of, instances_of, model_of, most_running, pool_of, work_of
from economics.serving.engine_cluster import Replicas, colocated_cluster, disaggregated_cluster
from economics.serving.engine_fit import PRIOR_LAYER_S
from economics.serving.engine_time import FIRST_TOKEN_S, EngineConstants, Instance
from economics.serving.simulation import Cluster
from economics.units import Array

WHOLE_PROMPTS = ("sglang",)
"""Engines that compute waiting prompts before they go on decoding; the others let them ride along in decode steps."""


def run_of(**stated: str | float | bool | None) -> pl.DataFrame:
    """One row of RUN_COLUMNS, and of OPTIONS where stated; the rest is NULL, and prefill and decode share GPUs.

    ValueError for other columns.
    """
    if unknown := set(stated) - {*RUN_COLUMNS, *OPTIONS}:
        raise ValueError(f"a run has no {', '.join(sorted(unknown))}: its columns are {', '.join(RUN_COLUMNS)}")
    values = {**dict.fromkeys(RUN_COLUMNS), "disaggregated": False, "drafts": False, **stated}
    kinds = {**dict.fromkeys((*NAMES, "prefill_gpu"), pl.String), **dict.fromkeys(FLAGS, pl.Boolean)}
    return pl.DataFrame(
        [pl.Series(name, [value], dtype=kinds.get(name, pl.Float64), strict=False) for name, value in values.items()]
    )


def cluster_of_run(run: pl.DataFrame, fit: Fit, *, transfer_s_per_token: float = 0.0) -> Cluster:
    """The cluster of one row of RUN_COLUMNS, `counts_decode_gpus` (false where it is not there) and `engine_systems.OPTIONS`.

    `transfer_s_per_token`: exposed time of a prompt token's KV on the link between two pools. ValueError where the model or the
    accelerator is not known, or a length.
    """
    if run.height != 1:
        raise ValueError(f"a cluster is described by one row, {run.height} given")
    if "counts_decode_gpus" not in run.columns:
        run = run.with_columns(counts_decode_gpus=pl.lit(value=False))
    found = with_parts(run.with_columns(family=family()), models=fit.models, devices=fit.devices)
    found = found.join(fit.cells, on=["engine", "family"], how="left", nulls_equal=True)
    answer = answered(run, fit).row(0, named=True)
    if answer["tpot_p50_s_predicted"] is None:
        raise ValueError(
            f"no step time of {run['model'][0]} on {run['gpu'][0]}: its shape, its lengths or the GPU is not known"
        )
    layer_s = found["layer_s"].fill_null(PRIOR_LAYER_S).to_numpy()
    form = predicted(found, layer_s=layer_s)
    paced = answer["tpot_p50_s_predicted"] / float(form.quantities["tpot_p50_s"][0])
    # Steps that a first token waits beyond the one in flight, which the simulation has of its own accord.
    delay_s = FIRST_TOKEN_S + (found["first_token_steps"][0] - 1.0) * answer["tpot_p50_s_predicted"]
    column = Column(found)
    constants, work = EngineConstants(layer_s=layer_s), work_of(column)

    def replicas(instance: Instance, count: Array) -> Replicas:
        most = max(int(most_running(instance, work)[0]), 1)
        return Replicas(instance=instance, count=max(int(count[0]), 1), most_sequences=most, work=work, paced=paced)

    model, device = model_of(column), device_of(column)
    if run["disaggregated"][0]:
        prefill, decode = (replicas(*pool_of(column, name, model, device, constants)[:2]) for name in ("prefill", "decode"))
        return disaggregated_cluster(prefill, decode, first_token_s=delay_s, transfer_s_per_token=transfer_s_per_token)
    whole = replicas(*instances_of(column, model, device, constants))
    return colocated_cluster(whole, chunked=run["engine"][0] not in WHOLE_PROMPTS, first_token_s=delay_s)

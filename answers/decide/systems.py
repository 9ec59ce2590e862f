"""Systems that may serve a question: accelerators, engines, how an instance is split, pools of prefill and decode workers."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from answers.decide.asked import KV_BYTES
from answers.decide.known import Facts, Known
from answers.decide.record import METRICS, ServingQuestion
from assets.serving.engine_names import engine_of
from assets.serving.engine_parts import NODE_GPUS, family
from assets.serving.engine_runs import COUNTS, FLAGS, LOADS, NAMES
from assets.serving.engine_systems import OPTIONS

SCHEMA = {
    **dict.fromkeys(NAMES, pl.String),
    **dict.fromkeys((*COUNTS, *LOADS), pl.Float64),
    **dict.fromkeys(FLAGS, pl.Boolean),
    **dict.fromkeys(OPTIONS, pl.Float64),
    "prefill_gpu": pl.String,
    **dict.fromkeys((f"{metric}_s" for metric in METRICS), pl.Float64),
    "variant": pl.Int64,
}
"""Columns of a system: those of a run, whose `request_rate_per_s` is the rate to hold, the bounds asked for, and which of
several questions it is for."""
SIZES = (1, 2, 4, 8, 16, 32, 64)
STAGES = (1, 2, 4)
MOST_OVER_FEWEST = 8
"""Instances up to so many times the smallest that holds the weights are tried: beyond it links and fixed times only cost."""
WEIGHTS_SHARE = 0.85
LAST = "llama.cpp"
"""Serves one user at a time: asked only where nothing else was measured, or by name."""
DEFAULT_ENGINE = "vllm"


def engines_for(known: Known, q: ServingQuestion) -> dict[str, str]:
    """The engine to answer with for each accelerator: as asked, else that with most runs of this model here, of any model here,
    of the family."""
    named = q.gpus_named
    if q.engine:
        return dict.fromkeys(named, engine_of(q.engine) or q.engine)
    fit = known.evidence.fit
    architecture = fit.models.filter(pl.col("model") == q.model)["architecture"].first()
    same = pl.col("architecture") == architecture
    groups = fit.groups.drop_nulls("engine").with_columns(runs=pl.col("last") - pl.col("first"))
    here = groups.group_by("gpu", "engine").agg(
        exact=pl.col("runs").filter(same & (pl.col("precision") == q.precision)).sum(),
        model=pl.col("runs").filter(same).sum(),
        all=pl.col("runs").sum(),
    )
    families = fit.near_cells.drop_nulls("engine").select(
        "engine", "family", of_family=pl.col("cell_last") - pl.col("cell_first")
    )
    asked = pl.DataFrame({"gpu": named}).with_columns(family=family())
    places = (
        asked.join(families, on="family")
        .join(here, on=["gpu", "engine"], how="left")
        .with_columns(pl.col("exact", "model", "all").fill_null(0), serves=pl.col("engine") != LAST)
        .sort("serves", "exact", "model", "all", "of_family", descending=True)
        .unique("gpu", keep="first", maintain_order=True)
    )
    return dict.fromkeys(named, DEFAULT_ENGINE) | dict(places.select("gpu", "engine").iter_rows())


def family_of(gpu: str) -> str:
    """Architecture of one accelerator."""
    return str(pl.select(gpu=pl.lit(gpu)).select(family()).item())


def colocated(known: Known, q: ServingQuestion, gpu: str, engine: str) -> list[Facts]:
    """Instances that prefill and decode, one row each."""
    return [_row(q, gpu, engine, gpus=float(split["tp"] * split["pp"]), **split) for split in _splits(known, q, gpu)]


def decode_workers(known: Known, q: ServingQuestion, gpu: str, engine: str) -> list[Facts]:
    """Decode workers alone: a pool of one, with prefill elsewhere."""
    return [
        _row(
            q,
            gpu,
            engine,
            gpus=float(split["tp"]),
            disaggregated=True,
            decode_gpus=float(split["tp"]),
            decode_workers=1.0,
            decode_dp_attention=split["dp_attention"],
            dp_attention=split["dp_attention"],
            ep=split["ep"],
        )
        for split in _splits(known, q, gpu)
        if split["pp"] == 1
    ]


def pools(decode: Facts, *, prefill_gpus: float, prefill_workers: int, workers: int, prefill_gpu: str | None) -> Facts:
    """A prefill pool of workers of so many accelerators each, and `workers` of the decode worker `decode`."""
    of_prefill, of_decode = prefill_gpus * prefill_workers, decode["decode_gpus"] * workers
    return {
        **decode,
        "gpus": of_prefill + of_decode,
        "prefill_gpus": of_prefill,
        "prefill_workers": float(prefill_workers),
        "prefill_dp_attention": False,
        "decode_gpus": of_decode,
        "decode_workers": float(workers),
        "prefill_gpu": prefill_gpu,
    }


def prefill_sizes(known: Known, q: ServingQuestion, gpu: str) -> list[float]:
    """Accelerators of a prefill worker, tensor parallel within a node."""
    device = known.gpus[gpu]
    domain = min(device["scale_up_gpus"] or NODE_GPUS, NODE_GPUS)
    fewest = _fewest(known, q, gpu)
    sizes = [float(size) for size in SIZES if fewest <= size <= max(domain, fewest)]
    return sizes[:3]


def frame(rows: list[Facts]) -> pl.DataFrame:
    """Rows of systems as the frame that capacity is asked for."""
    return pl.DataFrame(rows, schema=SCHEMA)


def _row(q: ServingQuestion, gpu: str, engine: str, **split: Any) -> Facts:
    return {
        **dict.fromkeys(SCHEMA),
        "model": q.model,
        "gpu": gpu,
        "engine": engine,
        "precision": q.precision,
        "disaggregated": False,
        "drafts": False,
        "input_tokens": q.input_tokens,
        "output_tokens": q.output_tokens,
        "prefix_hit_share": q.prefix_hit_share,
        "draft_tokens": q.draft_tokens,
        "draft_acceptance": q.draft_acceptance,
        "kv_bytes_factor": KV_BYTES[(q.kv_dtype or "bf16").lower()],
        "request_rate_per_s": q.sized_for_per_s,
        "variant": 0,
        **{f"{metric}_s": seconds for metric, (_, seconds) in q.bounds().items()},
        **split,
    }


def _splits(known: Known, q: ServingQuestion, gpu: str) -> Iterator[Facts]:
    """How an instance may be split: tensor parallel in a domain, experts with data-parallel attention beyond it, pipelines."""
    device, shape = known.gpus[gpu], known.shape
    domain = int(device["scale_up_gpus"] or NODE_GPUS)
    fewest = _fewest(known, q, gpu)
    sparse = bool(shape.get("experts"))
    # One chip of many is its own domain; what does not fit into a domain crosses the network.
    for size in SIZES:
        if size < fewest or size > max(MOST_OVER_FEWEST * fewest, min(domain, NODE_GPUS), q.tp or 0, q.ep or 0):
            continue
        for stages in STAGES:
            tensor = size // stages
            if tensor * stages != size or (tensor > 2 * max(domain, NODE_GPUS)):
                continue
            yield from _allowed(q, {"tp": float(tensor), "pp": float(stages), "ep": None, "dp_attention": False})
        if sparse and size > 1:
            yield from _allowed(q, {"tp": float(size), "pp": 1.0, "ep": float(size), "dp_attention": True})


def _allowed(q: ServingQuestion, split: Facts) -> Iterator[Facts]:
    """The split, where nothing that is fixed forbids it."""
    size = split["tp"] * split["pp"]
    fixed = (
        (q.tp, split["tp"]),
        (q.pp, split["pp"]),
        (q.ep if (q.ep or 1) > 1 or split["ep"] else None, split["ep"] or 1.0),
        (q.dp_attention, split["dp_attention"]),
    )
    if all(wanted is None or wanted == value for wanted, value in fixed) and (q.gpus is None or size <= q.gpus):
        yield split


def _fewest(known: Known, q: ServingQuestion, gpu: str) -> int:
    """The fewest accelerators, as a power of two, that may hold the weights."""
    models = known.evidence.fit.models.filter(pl.col("model") == q.model, pl.col("precision") == q.precision)
    if not models.height:
        return 1
    weights = float(models["model_dense_bytes"][0] + models["model_expert_bytes"][0])
    room = WEIGHTS_SHARE * float(known.gpus[gpu]["hbm_bytes"])
    return next((size for size in SIZES if size * room >= weights), SIZES[-1])

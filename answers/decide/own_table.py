"""A table of the user's own runs as multipliers: how much longer, or shorter, steps take on this system than predicted."""

from pathlib import Path

import polars as pl

from answers.decide.asked import QuestionError
from answers.predict.answer import Evidence, with_answers
from answers.predict.described import described
from answers.predict.files import read_batches

MEASURED = ("output_tokens_per_s_per_gpu", "tpot_p50_s")


def multipliers(file: Path, evidence: Evidence, *, model: str) -> dict[str, dict[str, float]]:
    """Measured over predicted, the median by quantity, of the runs of a model; by accelerator.

    Raises QuestionError for a table without such runs, or without a measured column.
    """
    try:
        rows = pl.concat(list(read_batches(file)), how="diagonal_relaxed")
        answers = with_answers(rows, evidence)
        named = described(rows, models=evidence.stored_as, gpus=evidence.gpus, labels=evidence.labels).select("model", "gpu")
    except ValueError as error:
        raise QuestionError(f"--measured: {error}") from None
    present = [name for name in MEASURED if name in rows.columns]
    if not present:
        raise QuestionError(f"--measured {file}: column {' or '.join(MEASURED)} is missing: what the runs reached")
    ratios = named.with_columns(
        (rows[name].cast(pl.Float64, strict=False) / answers[f"{name}_predicted"]).alias(name) for name in present
    ).filter(pl.col("model") == model)
    found = {
        gpu: {name: float(part[name].median()) for name in present if part[name].drop_nulls().len()}  # type: ignore[arg-type]
        for (gpu,), part in ratios.drop_nulls("gpu").group_by("gpu")
    }
    if not any(found.values()):
        raise QuestionError(f"--measured {file}: no run of {model} in it can be predicted")
    return {str(gpu): each for gpu, each in found.items()}

"""A table of runs as people describe them, as the words and numbers of the fit.

Columns are those of published tables of measured runs; any but the model and the accelerator may be absent or NULL. A cell that
cannot be read costs its own row the answer, with the reason, and no other row.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import polars as pl

from answers.names import UnknownNameError, gpu_meant, model_meant
from assets.serving.engine_names import benchmark_tokens, counts_decode_pool, engine_of, mapped, precision_of
from assets.serving.engine_parts import NODE_GPUS
from assets.serving.engine_runs import COUNTS, RUN_COLUMNS

NUMBERS = (*COUNTS, "input_tokens", "output_tokens", "context_tokens", "concurrency", "request_rate_per_s", "requests")
FLAGS = ("dp_attention", "prefill_dp_attention", "decode_dp_attention", "disaggregated")
TRUE, FALSE = ("true", "1", "yes", "y", "t"), ("false", "0", "no", "n", "f")
SIZE = re.compile(r"[-_ ]?\d+ ?gb$", re.IGNORECASE)
"""Memory at the end of the name of an accelerator."""
NO_DRAFTS = ("", "none", "false", "0", "no", "off")
NEEDED = ("model", "gpu")
POSITIVE = ("input_tokens", "output_tokens", "context_tokens", "concurrency", "request_rate_per_s", "gpus")
READ = (*NEEDED, "engine", "precision", "speculative", *NUMBERS, *FLAGS)
"""Columns of a table that are read; all others are handed through."""
POOL_OF_ALL = {"tp": "decode_tp", "ep": "decode_ep"}
"""Where a table states a pool's parallelism alone."""


class Labels(NamedTuple):
    """What names of measured runs mean: labels of a benchmark that people copy, such as dsr1."""

    models: dict[str, str]
    gpus: dict[str, str]


def described(
    rows: pl.DataFrame, *, models: dict[str, str | None], gpus: Sequence[str], labels: Labels | None = None
) -> pl.DataFrame:
    """RUN_COLUMNS of each row, in order, with `counts_decode_gpus`, `assumed` and `reason` (NULL: the row can be read).

    `models`: number format of the checkpoint by key of core.model_shape; `gpus`: keys of core.gpu; `labels`: other names, and
    what measured runs mean by them. Raises ValueError where the
    table has no column `model` or `gpu`.
    """
    missing = [name for name in NEEDED if name not in rows.columns]
    if missing:
        raise ValueError(f"column {missing[0]} is missing: a run needs at least {' and '.join(NEEDED)}")
    text = rows.select(
        _text(name) if name in rows.columns else pl.lit(None, pl.String).alias(name) for name in (*READ, *POOL_OF_ALL.values())
    )
    named = _named(text, models=models, gpus=gpus, labels=labels or Labels({}, {}))
    return (
        named.with_columns(*_numbers(), *_flags(), _drafts())
        .pipe(_completed)
        .select(*RUN_COLUMNS, "counts_decode_gpus", "assumed", "reason")
    )


def _named(text: pl.DataFrame, *, models: dict[str, str | None], gpus: Sequence[str], labels: Labels) -> pl.DataFrame:
    """The names of each row resolved, once for each distinct set of them."""
    known = tuple(models)

    @cache
    def model_of(written: str | None) -> tuple[str | None, str | None]:
        if written is None:
            return None, "model is not stated"
        try:
            return model_meant(written, known).key, None
        except UnknownNameError as error:
            meant = labels.models.get(written)
            return (meant, None) if meant in models else (None, _briefly(error, "core.model_shape"))

    @cache
    def gpu_of(written: str | None) -> tuple[str | None, str | None, str | None]:
        if written is None:
            return None, None, "gpu is not stated"
        try:
            meant = gpu_meant(written, gpus)
        except UnknownNameError as error:
            label = labels.gpus.get(written)
            if label in gpus:
                return label, None, None
            sizeless = SIZE.sub("", written)
            if sizeless != written and gpu_of(sizeless)[0] is not None:  # GH200 480GB: the memory of its CPU
                return gpu_of(sizeless)[0], f"{written} is taken for {gpu_of(sizeless)[0]}", None
            return None, None, _briefly(error, "core.gpu")
        return meant.key, meant.note, None

    def words(model: str | None, gpu: str | None, engine: str | None, precision: str | None) -> tuple[object, ...]:
        model_key, model_reason = model_of(model)
        gpu_key, gpu_note, gpu_reason = gpu_of(gpu)
        number_format, basis = precision_of(precision, model, model_key, models.get(model_key or ""))
        inputs, outputs = benchmark_tokens(model)
        return (
            model_key,
            gpu_key,
            engine_of(engine),
            number_format,
            counts_decode_pool(engine),
            gpu_note,
            f"precision {number_format}" if basis == "assumed" else None,
            model_reason or gpu_reason,
            inputs,
            outputs,
        )

    columns = ["model", "gpu", "engine", "precision"]
    written = text.rename({name: f"{name}_written" for name in columns})
    kinds: dict[str, type[pl.DataType]] = {
        "model": pl.String,
        "gpu": pl.String,
        "engine": pl.String,
        "precision": pl.String,
        "counts_decode_gpus": pl.Boolean,
        "gpu_note": pl.String,
        "precision_note": pl.String,
        "name_reason": pl.String,
        "usual_input": pl.Float64,
        "usual_output": pl.Float64,
    }
    return mapped(written, [f"{name}_written" for name in columns], words, kinds)


def _briefly(error: UnknownNameError, table: str) -> str:
    """Why a name stands for nothing, without the list of all names."""
    return re.sub(r"[;:] known are .*", f"; known names are in {table}", str(error))


def _completed(rows: pl.DataFrame) -> pl.DataFrame:
    """Lengths and pools that a row leaves out, what was assumed, and why a row cannot be read."""
    wrong = [
        *(pl.when(pl.col(f"{name}_is_bad")).then(pl.lit(f"{name}: not a number")) for name in NUMBERS),
        *(pl.when(pl.col(name) <= 0).then(pl.lit(f"{name}: must be above 0")) for name in POSITIVE),
        *(pl.when(pl.col(f"{name}_is_bad")).then(pl.lit(f"{name}: neither true nor false")) for name in FLAGS),
    ]
    wide = pl.col("decode_gpus") / pl.col("decode_workers").fill_null(1) > NODE_GPUS
    notes = [
        pl.col("gpu_note"),
        pl.col("precision_note"),
        pl.when(pl.col("input_tokens").is_null()).then(pl.format("input_tokens {}", pl.col("usual_input").cast(pl.Int64))),
        pl.when(pl.col("output_tokens").is_null()).then(pl.format("output_tokens {}", pl.col("usual_output").cast(pl.Int64))),
        pl.when(pl.col("gpus").is_null() & pl.col("decode_gpus").is_null()).then(pl.lit("gpus as few as hold the weights")),
        pl.when(wide & pl.col("decode_dp_attention").is_null()).then(pl.lit("decode_dp_attention true")),
        pl.when(pl.all_horizontal(pl.col("concurrency", "request_rate_per_s", "requests").is_null())).then(
            pl.lit("as many in flight as fit")
        ),
    ]
    # The mean context of a running sequence is its prompt and half of its answer.
    of_context = pl.col("context_tokens") - pl.coalesce("output_tokens", "usual_output") / 2.0
    rows = rows.with_columns(input_tokens=pl.coalesce("input_tokens", of_context.clip(lower_bound=1.0)))
    return rows.with_columns(
        reason=pl.coalesce("name_reason", *wrong),
        assumed=pl.concat_str(notes, separator="; ", ignore_nulls=True).replace("", None),
        input_tokens=pl.coalesce("input_tokens", "usual_input"),
        output_tokens=pl.coalesce("output_tokens", "usual_output"),
        disaggregated=pl.coalesce("disaggregated", pl.col("decode_gpus").is_not_null()),
        gpus=pl.coalesce("gpus", pl.col("prefill_gpus") + pl.col("decode_gpus"), "decode_gpus", "prefill_gpus"),
    )


def _text(name: str) -> pl.Expr:
    cell = pl.col(name).cast(pl.String).str.strip_chars()
    return pl.when(cell != "").then(cell).alias(name)


def _numbers() -> list[pl.Expr]:
    parsed = {name: pl.col(name).cast(pl.Float64, strict=False) for name in NUMBERS}
    fine = {name: number.is_finite().fill_null(value=False) for name, number in parsed.items()}
    return [
        *(pl.when(fine[name]).then(number).alias(name) for name, number in parsed.items()),
        *((pl.col(name).is_not_null() & ~fine[name]).alias(f"{name}_is_bad") for name in NUMBERS),
    ]


def _flags() -> list[pl.Expr]:
    low = {name: pl.col(name).str.to_lowercase() for name in FLAGS}
    return [
        *(pl.when(cell.is_in(TRUE)).then(True).when(cell.is_in(FALSE)).then(False).alias(name) for name, cell in low.items()),
        *((cell.is_not_null() & ~cell.is_in(TRUE + FALSE)).alias(f"{name}_is_bad") for name, cell in low.items()),
    ]


def _drafts() -> pl.Expr:
    return (~pl.col("speculative").fill_null("").str.to_lowercase().is_in(NO_DRAFTS)).alias("drafts")

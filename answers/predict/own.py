"""A model or an accelerator of the user's own: a config.json as publishers write it, and a JSON of the columns of core.gpu."""

import json
from pathlib import Path

import polars as pl

from assets.serving.model_shapes import configured_shapes, layer_rows
from schemas.base import polars_schema
from schemas.evidence.published import Gpu
from schemas.serving.model_configs import ModelConfiguration, ModelLayer
from sources.serving.model_config import read_config

NEEDED = ("bf16_flop_per_s", "hbm_bytes", "hbm_bytes_per_s")


def own_model(file: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Shape and layers (contracts ModelShape and ModelLayer) of a config.json, named as its file or folder is.

    Raises ValueError, with the file's name, for one that is no language model's.
    """
    text = _text(file)
    name = (file.parent.name if file.stem == "config" else file.stem).lower()
    try:
        config = read_config(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file}: not a config.json of a language model: {error}") from None
    layers = pl.DataFrame(list(layer_rows(name, config)), schema=polars_schema(ModelLayer))
    stated = {
        "model": name,
        "hugging_face_id": name,
        "status": "quoted",
        "locator": str(file),
        "config": text,
        "source": "own",
    }
    columns = polars_schema(ModelConfiguration)
    shape = configured_shapes(pl.DataFrame([{key: stated.get(key) for key in columns}], schema=columns), layers)
    if not shape.height:
        raise ValueError(f"{file}: the model keeps no keys and values, and cannot be timed")
    return shape, layers


def own_accelerator(file: Path) -> pl.DataFrame:
    """One row of the columns of core.gpu from a JSON object with `gpu` and at least peak, memory and bandwidth.

    Raises ValueError, with the file's name and the field, for one that is absent, unknown or not a number above 0.
    """
    try:
        stated = json.loads(_text(file))
    except ValueError as error:
        raise ValueError(f"{file}: not JSON: {error}") from None
    columns = polars_schema(Gpu)
    if not isinstance(stated, dict):
        raise ValueError(f"{file}: one JSON object is wanted, with gpu and {', '.join(NEEDED)}")
    for name in ("gpu", *NEEDED):
        if name not in stated:
            raise ValueError(f"{file}: {name} is missing; needed are gpu, {', '.join(NEEDED)}")
    for name, value in stated.items():
        if name not in columns:
            raise ValueError(f"{file}: {name} is not a column of core.gpu: {', '.join(columns)}")
        if columns[name].is_numeric() and value is not None and not (isinstance(value, int | float) and value > 0):
            raise ValueError(f"{file}: {name} must be a number above 0, got {value!r}")
    row = {"status": "quoted", "locator": str(file), **stated}
    return pl.DataFrame([{name: row.get(name) for name in columns}], schema=columns, strict=False)


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: cannot be read: {error}") from None

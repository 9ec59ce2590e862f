"""Between frames and arrays: NULL in a frame is NaN in an array, and back. And frames in the columns of a contract."""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from economics.units import Array
from schemas.base import Table, polars_schema


def floats(frame: pl.DataFrame, name: str) -> Array:
    """A column as an array of floats; NULL becomes NaN."""
    return frame[name].cast(pl.Float64).to_numpy()


def nullable(values: object) -> pl.Series:
    """Floats as a column; what is not a finite number becomes NULL."""
    found = np.asarray(values, dtype=np.float64)
    return pl.Series(np.where(np.isfinite(found), found, np.nan)).fill_nan(None)


def where_known(form: Callable[..., ArrayLike], **columns: ArrayLike) -> Array:
    """A closed form over the rows where every argument is a finite number; NaN in the others, which it never sees.

    `columns` are arrays of one length, or single numbers for all rows. Returns (..., rows), as many leading axes as `form` has.
    """
    arrays = np.broadcast_arrays(*(np.asarray(values, dtype=np.float64) for values in columns.values()))
    known = np.isfinite(np.stack(arrays)).all(axis=0)
    found = np.asarray(form(**{name: values[known] for name, values in zip(columns, arrays, strict=True)}), dtype=np.float64)
    whole = np.full((*found.shape[:-1], known.size), np.nan)
    whole[..., known] = found
    return whole


def under_contract(schema: type[Table], frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of a contract, with its types; a column that no part of the frame has is unknown."""
    columns = polars_schema(schema)
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in columns.items() if name not in frame.columns]
    return frame.with_columns(absent).select(pl.col(name).cast(dtype) for name, dtype in columns.items())

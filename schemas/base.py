"""What every table contract shares: how a column states its unit, and the rules that hold for all tables."""

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

import pandera.polars as pa
import polars as pl

from schemas.private_pandera import register_rules

register_rules()

Timestamp = Annotated[pl.Datetime, "us", "UTC"]


def column(
    description: str,
    *,
    unit: str | None = None,
    derived_from: tuple[str, ...] = (),
    formerly: str | None = None,
    **rules: Any,
) -> Any:
    """Declare one column: a one-line description, its unit, and pandera rules (ge, isin, nullable, ...).

    `derived_from` names the upstream columns (`table.column`) it is computed from, where the name alone does not say it.
    `formerly` is the name of the column in tables that an earlier version wrote.
    """
    metadata = {"unit": unit, "derived_from": derived_from, "formerly": formerly}
    return pa.Field(description=description, metadata=metadata, **rules)


def carried_from(*tables: str) -> dict[str, tuple[str, ...]]:
    """State, as `Config.metadata`, the tables whose columns come over: those of the same name, in the same words and unit."""
    return {"carried_from": tables}


def origins(schema: type["Table"], column_name: str, upstream: Mapping[str, type["Table"]]) -> list[tuple[str, str]]:
    """Where a column of a contract comes from, as (table, column) pairs, as far as its contract states it.

    `upstream` holds the contracts of the tables it may come from, by bare name. A column says `derived_from`, or its contract
    says `carried_from` and both describe it in the same words. An equal name alone says nothing.
    """
    spec = schema.to_schema().columns[column_name]
    stated = (spec.metadata or {}).get("derived_from") or ()
    if stated:
        named = [tuple(origin.split(".")) for origin in stated]
        return [(table, column) for table, column in named if table in upstream]
    found = []
    for table in getattr(schema.Config, "metadata", {}).get("carried_from", ()):
        there = upstream[table].to_schema().columns.get(column_name) if table in upstream else None
        if there is not None and _meaning(there) == _meaning(spec):
            found.append((table, column_name))
    return found


def _meaning(spec: Any) -> tuple[str, str | None]:
    return spec.description, (spec.metadata or {}).get("unit")


IS_FINITE = pa.Check(
    lambda data: data.lazyframe.select(pl.col(data.key).is_finite()),
    name="is_finite",
    description="numbers are finite: unknown is NULL, never NaN or infinity",
)


class Table(pa.DataFrameModel):
    """Base of all table contracts. A subclass names its table `layer.table` in `Config.name`."""

    @classmethod
    @cache
    def to_schema(cls) -> pa.DataFrameSchema:
        """The contract as pandera's schema; every column of floats must be finite."""
        schema = super().to_schema()
        for column_schema in schema.columns.values():
            if column_schema.dtype.type.is_float() and IS_FINITE not in column_schema.checks:
                column_schema.checks.append(IS_FINITE)
        return schema

    class Config:
        strict = True
        ordered = True


def table_name(schema: type[Table]) -> str:
    """Full name of a table, such as `core.llm_price`."""
    name = schema.Config.name  # type: ignore[attr-defined]
    assert isinstance(name, str)
    return name


def meaning(schema: type[Table]) -> str:
    """What a table holds, in the words of its contract."""
    return inspect.getdoc(schema) or ""


@cache
def polars_schema(schema: type[Table]) -> pl.Schema:
    """Column names and polars dtypes of a table contract, in order."""
    return pl.Schema({name: col.dtype.type for name, col in schema.to_schema().columns.items()})


def empty(schema: type[Table]) -> pl.DataFrame:
    """A frame with the contract's columns and no rows."""
    return pl.DataFrame(schema=polars_schema(schema))

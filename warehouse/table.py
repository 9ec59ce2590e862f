"""The @table decorator: from a plain function on frames to a validated, documented Dagster asset.

A function decorated with `@table` takes upstream tables by name, and may also ask for `previous` (its own last good
version), `now` (the clock of the run), `data` (the data folder) and `context` (Dagster's). It returns a frame, or
`Parsed(accepted, rejected)`. The decorator validates *before* anything is written: rows of a raw table that break the
contract go to quarantine and the rest goes on; in the other layers a broken contract refuses the whole table, so that the
last good one stays readable.
"""

import inspect
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import dagster as dg
import polars as pl

from schemas.base import Table, empty, meaning, origins, polars_schema, table_name
from schemas.foreign_text import escaped_in_markdown, plain
from schemas.quarantine import Parsed, Rejected
from schemas.registry import TABLES, room_of
from warehouse.contract import apply_contract
from warehouse.locks import writing
from warehouse.recovery import previous_table, scan_good
from warehouse.resources import DataFolder, run_time
from warehouse.store import DamagedTableError, read_rejected, table_path, write_frame, write_rejected

warnings.filterwarnings("ignore", category=dg.BetaWarning, module=__name__)  # data versions are beta in Dagster

OWNER = "team:inference-economics"
DOCUMENT = "document"
"""Name under which the column lineage has a source's document, which has no columns."""
FEWER = 0.95
"""A smaller share of a raw table's rows that can be used than this part of the last one is said."""
PROVIDED = ("previous", "now", "data", "context")
CONTRACT_CHECK, QUARANTINE_CHECK = "contract", "nothing_suspect"
CHECKS = {CONTRACT_CHECK: "every row satisfies the contract", QUARANTINE_CHECK: "no row was invalid or suspect"}
"""The second is for tables that can set rows aside: raw tables, and those whose function returns `Parsed`."""


GROUP_TAG = "iecon/group"
"""Tag of the part of a refresh that an asset belongs to. Dagster's groups are the six rooms."""


def asset_key(schema: type[Table]) -> dg.AssetKey:
    """Dagster key of a table: `core.llm_price` is `core/llm_price`."""
    return dg.AssetKey(table_name(schema).split("."))


def table(
    *,
    schema: type[Table],
    group: str,
    deps: Sequence[dg.AssetKey] = (),
    may_be_empty: bool = False,
    kinds: Sequence[str] = ("polars", "parquet"),
) -> Callable[[Callable[..., pl.DataFrame | Parsed]], dg.AssetsDefinition]:
    """Make a Dagster asset from a function on frames. `schema` is the contract of what it returns.

    `group` names the part of a refresh that it belongs to, such as llm_prices.
    A parameter named like a table receives that table, read, or as a LazyFrame where it is annotated as one; any other name
    is a source document (`source/<name>`).
    `deps` are upstream assets that are not read as frames.
    """

    def decorate(function: Callable[..., pl.DataFrame | Parsed]) -> dg.AssetsDefinition:
        signature = inspect.signature(function)
        parameters = list(signature.parameters)
        may_reject = signature.return_annotation is Parsed or table_name(schema).startswith("raw.")
        checks = [CONTRACT_CHECK, QUARANTINE_CHECK] if may_reject else [CONTRACT_CHECK]
        upstream = {name: _upstream_key(name) for name in parameters if name not in PROVIDED}
        tables = {name: signature.parameters[name].annotation is pl.LazyFrame for name in upstream if name in TABLES}

        @dg.asset(
            key=asset_key(schema),
            ins={name: dg.AssetIn(key=key) for name, key in upstream.items() if name not in tables},
            deps=[*(upstream[name] for name in tables), *deps],
            description=meaning(schema),
            group_name=room_of(function.__module__),
            tags={GROUP_TAG: group},
            owners=[OWNER],
            kinds=set(kinds),
            metadata=definition_metadata(schema, list(upstream.values())),
            check_specs=[dg.AssetCheckSpec(name, asset=asset_key(schema), description=CHECKS[name]) for name in checks],
            required_resource_keys={"data"},
        )
        def compute(context: dg.AssetExecutionContext, **documents: Any) -> Iterator[Any]:
            started = time.perf_counter()
            data: DataFolder = context.resources.data
            # What is read, changed and written back has one writer at a time, or the slower of two would lose the other's rows.
            is_folded = "previous" in parameters
            wait = writing(data.path, table_name(schema), on_wait=context.log.info) if is_folded else nullcontext()
            with wait:
                # Read here, as they are written here: Dagster would hold each frame until the run ends, and log two events.
                scans = {name: built_table(data, TABLES[name]) for name in tables}
                inputs = {name: scan if tables[name] else scan.collect() for name, scan in scans.items()}
                provided: dict[str, Callable[[], Any]] = {
                    "previous": lambda: previous_table(data.tables, schema),
                    "now": lambda: run_time(context),
                    "data": lambda: data,
                    "context": lambda: context,
                }
                result = function(**documents, **inputs, **{name: provided[name]() for name in parameters if name in PROVIDED})
                frame, rejected = result if isinstance(result, Parsed) else (result, empty(Rejected))
                frame, rejected, faults = apply_contract(schema, frame, rejected, may_be_empty=may_be_empty)
                yield _contract_result(schema, faults)
                if may_reject:
                    yield _quarantine_result(schema, rejected, _fallen_share(data, schema, frame, rejected))
                    write_rejected(data.rejected, schema, rejected)
                if not faults.is_empty():
                    raise dg.Failure("\n".join(_fault_lines(schema, faults)), allow_retries=False)
                path = table_path(data.tables, schema)
                write_frame(path, frame)
                yield dg.MaterializeResult(
                    data_version=dg.DataVersion(f"{frame.hash_rows(seed=0).sum():x}-{frame.height}"),
                    metadata={
                        "path": dg.MetadataValue.path(str(path)),
                        "dagster/row_count": frame.height,
                        "rejected_rows": int(rejected["n_rows"].sum()),
                        "seconds": time.perf_counter() - started,
                        "preview": dg.MetadataValue.md(_markdown(frame.head(5))),
                    },
                )

        return compute

    return decorate


def taking(function: Callable[..., pl.DataFrame | Parsed], *names: str) -> Callable[..., pl.DataFrame | Parsed]:
    """A function of `**frames` that names what it takes, for `table`: where a list of sources decides which tables are read."""
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, kind) for name in names]
    answer = inspect.signature(function).return_annotation
    function.__signature__ = inspect.Signature(parameters, return_annotation=answer)  # type: ignore[attr-defined]
    return function


def built_table(data: DataFolder, schema: type[Table]) -> pl.LazyFrame:
    """The last good version of a table, not yet read. Raises dagster.Failure where there is none."""
    frame = scan_good(data.tables, schema)
    if frame is None:
        raise dg.Failure(f"{table_name(schema)} has not been built yet: run `iecon refresh` first")
    return frame


def _upstream_key(name: str) -> dg.AssetKey:
    return asset_key(TABLES[name]) if name in TABLES else dg.AssetKey(["source", name])


def definition_metadata(schema: type[Table], upstream: Sequence[dg.AssetKey]) -> dict[str, Any]:
    """What Dagster's pages show of a table before it is built: its name, its columns and where each comes from."""
    lineage = column_lineage(schema, upstream)
    return {
        "dagster/column_schema": column_schema(schema, lineage),
        "dagster/column_lineage": lineage,
        "dagster/table_name": table_name(schema),
    }


def column_schema(schema: type[Table], lineage: dg.TableColumnLineage) -> dg.TableSchema:
    """Dagster's column schema of a contract: type, unit, description and origin of every column."""
    columns = []
    for name, spec in schema.to_schema().columns.items():
        unit = (spec.metadata or {}).get("unit")
        columns.append(
            dg.TableColumn(
                name,
                type=str(spec.dtype.type),
                description=f"{spec.description}{f' [{unit}]' if unit else ''}{_origin(lineage.deps_by_column.get(name, ()))}",
                constraints=dg.TableColumnConstraints(
                    nullable=spec.nullable,
                    unique=spec.unique,
                    other=[str(check.error or check.name) for check in spec.checks],
                ),
                tags={"unit": unit} if unit else {},
            )
        )
    keys = schema.to_schema().unique
    constraints = dg.TableConstraints(other=[f"unique: {', '.join(keys)}"]) if keys else None
    return dg.TableSchema(columns=columns, constraints=constraints)


def column_lineage(schema: type[Table], upstream: Sequence[dg.AssetKey]) -> dg.TableColumnLineage:
    """Upstream columns that each column comes from, as its contract states them (`schemas.base.origins`).

    A column that no table before has comes from the source's document, where the asset reads one.
    """
    keys = {key.path[-1]: key for key in upstream if key.path[0] != "source"}
    tables = {name: TABLES[name] for name in keys}
    documents = [dg.TableColumnDep(asset_key=key, column_name=DOCUMENT) for key in upstream if key.path[0] == "source"]
    lineage = {}
    for name in polars_schema(schema):
        found = [
            dg.TableColumnDep(asset_key=keys[table], column_name=column) for table, column in origins(schema, name, tables)
        ]
        if found or documents:
            lineage[name] = found or documents
    return dg.TableColumnLineage(lineage)


def _origin(deps: Sequence[dg.TableColumnDep]) -> str:
    """Where a column comes from, as links that the UI can follow."""
    links = [f"[{'.'.join(dep.asset_key.path)} {dep.column_name}](/assets/{'/'.join(dep.asset_key.path)})" for dep in deps]
    return f"; from {', '.join(links)}" if links else ""


def _contract_result(schema: type[Table], faults: pl.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=faults.is_empty(),
        check_name=CONTRACT_CHECK,
        asset_key=asset_key(schema),
        metadata={"faults": dg.MetadataValue.md("\n".join(_fault_lines(schema, faults)))} if not faults.is_empty() else {},
    )


def _quarantine_result(schema: type[Table], rejected: pl.DataFrame, fallen: str | None) -> dg.AssetCheckResult:
    by_rule = rejected.group_by("severity", "rule").agg(rows=pl.col("n_rows").sum()).sort("rows", descending=True)
    trouble = by_rule.filter(pl.col("severity") != "out_of_scope")
    said = [f"{row['rows']} {row['rule']}" for row in trouble.head(3).iter_rows(named=True)]
    said += [f"{trouble[3:]['rows'].sum()} of other rules"] if trouble.height > 3 else []
    said += [*_unknown(rejected), *([fallen] if fallen else [])]
    return dg.AssetCheckResult(
        passed=trouble.is_empty() and not fallen,
        check_name=QUARANTINE_CHECK,
        asset_key=asset_key(schema),
        severity=dg.AssetCheckSeverity.WARN,
        description=", ".join(said) or None,
        metadata={"rules": dg.MetadataValue.md(_markdown(by_rule))} if not by_rule.is_empty() else {},
    )


def _fallen_share(data: DataFolder, schema: type[Table], frame: pl.DataFrame, rejected: pl.DataFrame) -> str | None:
    """What to say of a raw table of whose rows a much smaller share can be used than the last time."""
    last = scan_good(data.tables, schema) if table_name(schema).startswith("raw.") else None
    if last is None:
        return None
    try:
        refused = read_rejected(data.rejected, schema)
    except DamagedTableError:
        return None
    now, was = _share(frame.height, rejected), _share(last.select(pl.len()).collect().item(), refused)
    return f"{now:.0%} of its rows can be used, {was:.0%} before" if now < FEWER * was else None


def _share(used: int, rejected: pl.DataFrame | None) -> float:
    """Share of rows that could be used; what is out of scope does not count."""
    bad = 0 if rejected is None else rejected.filter(pl.col("severity") != "out_of_scope")["n_rows"].sum()
    return used / max(1, used + int(bad))


def _unknown(rejected: pl.DataFrame) -> list[str]:
    """The keys of a document that nobody knows, by name, since a schema that grows is no matter of numbers."""
    keys = rejected.filter(pl.col("rule").cast(pl.String).str.starts_with("unknown_"))["column_name"].drop_nulls()
    names = keys.unique().sort().to_list()
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return [f"not known: {', '.join(plain(name) for name in names[:5])}{more}"] if names else []


def _fault_lines(schema: type[Table], faults: pl.DataFrame) -> list[str]:
    """One line per broken rule: table, column, rule, how many rows, and the first three of them."""
    grouped = faults.group_by("column", "check", maintain_order=True).agg(
        rows=pl.len(),
        examples=pl.format("row {}: {}", pl.col("index").fill_null(-1), pl.col("failure_case").fill_null("NULL")).head(3),
    )
    return [
        f"{table_name(schema)}: column {row['column']} breaks `{row['check']}` in {row['rows']} rows "
        f"({'; '.join(row['examples'])})"
        for row in grouped.iter_rows(named=True)
    ]


def _markdown(frame: pl.DataFrame) -> str:
    """A frame as a table of Markdown in which nothing that a publisher wrote is a link, a picture or a tag."""
    texts = {
        name: [text and escaped_in_markdown(text[:40]) for text in frame[name]]
        for name, kind in frame.schema.items()
        if kind == pl.String
    }
    frame = frame.with_columns(pl.Series(name, values, pl.String) for name, values in texts.items())
    with pl.Config(
        tbl_formatting="MARKDOWN",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        fmt_str_lengths=100,
        tbl_cols=-1,
        tbl_rows=-1,
        tbl_width_chars=10_000,
    ):
        return str(frame)

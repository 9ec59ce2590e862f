"""A table's contract, for people: columns, units, meaning, rules."""

from rich.console import Console
from rich.table import Table

from schemas.base import meaning, table_name
from schemas.registry import TABLES


def show_contract(name: str, *, console: Console) -> None:
    """Print the contract of a table given as `core.llm_price` or `llm_price`. Raises ValueError for an unknown one."""
    bare = name.rpartition(".")[2]
    if bare not in TABLES or ("." in name and table_name(TABLES[bare]) != name):
        known = ", ".join(sorted(table_name(schema) for schema in TABLES.values()))
        raise ValueError(f"no table {name}; there are {known}")
    schema = TABLES[bare]
    contract = schema.to_schema()
    console.print(f"[bold]{table_name(schema)}[/bold]  {meaning(schema)}", highlight=False)
    if contract.unique:
        console.print(f"one row per {', '.join(contract.unique)}", highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("column", "type", "unit", "NULL", "meaning", "rules"):
        table.add_column(heading, overflow="fold")
    for column, spec in contract.columns.items():
        rules = ", ".join(str(check.error or check.name) for check in spec.checks if check.name != "is_finite")
        unit = (spec.metadata or {}).get("unit") or ""
        table.add_row(column, str(spec.dtype.type), unit, "yes" if spec.nullable else "", spec.description or "", rules)
    console.print(table)

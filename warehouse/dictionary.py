"""The data dictionary as a page, from the contracts, the assets' inputs and one example row per table.

`python -m warehouse.dictionary docs/data_dictionary.md` writes it. A table whose contract changed gets a new example row from
the data folder (ECONOMICS_DATA, else warehouse/data), kept in `example_rows.json` beside the page.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg

from schemas.base import Table, meaning, table_name
from schemas.registry import TABLES
from warehouse.examples import Row, read_examples, renewed
from warehouse.publish import LAYERS, enumerations

EXAMPLES = "example_rows.json"
OPENING = """\
# Data dictionary

Made from the table contracts in `schemas/`; do not edit. The same words are in the DuckDB file as comments, and in
`meta.tables` and `meta.columns`. NULL means unknown, never zero. `raw` is as parsed, `core` reconciled, `marts` the answers,
`meta` where everything came from. A column that takes one of a list of words is an ENUM in DuckDB and sorts in the order of the
list, not by the alphabet. The example is one row of the table, long texts cut. How each mart is computed is told in
the [method notes](README.md).
"""
LONGEST_EXAMPLE = 40


def dictionary(*, lineage: Mapping[str, Sequence[str]], examples: Mapping[str, Row]) -> str:
    """All tables with their columns, units, meaning, rules, inputs and an example, as one Markdown page.

    `lineage` has the inputs of each table, such as `core.llm_price` or `source.litellm`; `examples` a row by full table name.
    """
    by_layer = sorted(
        TABLES.values(), key=lambda schema: (LAYERS[::-1].index(table_name(schema).split(".")[0]), table_name(schema))
    )
    sections = (_section(s, lineage.get(table_name(s), ()), examples.get(table_name(s), {})) for s in by_layer)
    return "\n".join([OPENING, *sections])


def lineage_of(assets: Sequence[dg.AssetsDefinition]) -> dict[str, list[str]]:
    """Names of the assets that each table is made from, or follows."""
    return {
        ".".join(definition.key.path): sorted(".".join(key.path) for key in definition.dependency_keys) for definition in assets
    }


def current_page(folder: Path) -> str:
    """The dictionary of this checkout, with the example rows kept in a folder."""
    definitions = [each for each in dg.load_assets_from_package_name("assets") if isinstance(each, dg.AssetsDefinition)]
    return dictionary(lineage=lineage_of(definitions), examples=read_examples(folder / EXAMPLES))


def _section(schema: type[Table], inputs: Sequence[str], example: Row) -> str:
    contract = schema.to_schema()
    lines = [f"## {table_name(schema)}", "", meaning(schema), ""]
    if contract.unique:
        lines += [f"One row per {', '.join(contract.unique)}.", ""]
    lines += [f"Made from {_inputs(inputs)}.{'' if example else ' No row without a network or files of your own.'}", ""]
    lines += ["| column | type | unit | NULL | example | meaning |", "|---|---|---|---|---|---|"]
    words = enumerations(schema)
    for name, spec in contract.columns.items():
        stated = spec.metadata or {}
        choice = f" One of: {', '.join(words[name])}." if name in words else ""
        origin = f" From {', '.join(stated['derived_from'])}." if stated.get("derived_from") else ""
        lines.append(
            f"| {name} | {spec.dtype.type} | {stated.get('unit') or ''} | {'yes' if spec.nullable else ''} "
            f"| {_shown(example.get(name))} | {spec.description}.{choice}{origin} |"
        )
    return "\n".join([*lines, ""])


def _inputs(names: Sequence[str]) -> str:
    """Inputs in words; a table over all others says so instead of naming each."""
    tables = {table_name(schema) for schema in TABLES.values() if not table_name(schema).startswith("meta.")}
    others = [name for name in names if name not in tables]
    told = ["every table"] if tables <= set(names) else [name for name in names if name in tables]
    return ", ".join([*told, *others]) or "the log kept in the data folder"


def _shown(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    text = " ".join(text.split()).replace("|", "\\|")
    return text if len(text) <= LONGEST_EXAMPLE else text[: LONGEST_EXAMPLE - 3] + "..."


if __name__ == "__main__":
    page = Path(sys.argv[1])
    data = Path(os.environ.get("ECONOMICS_DATA") or Path(__file__).parent / "data")
    rows = renewed(read_examples(page.parent / EXAMPLES), data / "tables")
    (page.parent / EXAMPLES).write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    page.write_text(current_page(page.parent))

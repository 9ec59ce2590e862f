"""Nothing stands here that neither the command, nor a table, nor the public package uses."""

from vulture import Vulture

from tests.refreshed import ROOT

FLOORS = ("iecon", "pipelines", "answers", "assets", "sources", "figures", "schemas", "economics", "warehouse")
FOUND_BY_DECORATOR = (
    "@table*",
    "@partitioned*",
    "@dg.*",
    "@pa.*",
    "@app.*",
    "@*.callback*",
    "@*.command*",
    "@*.tool*",
    "@*.resource*",
)
"""Tables and checks by Dagster, rules by pandera, commands by typer, tools by the assistant's server."""
CALLED_BY_DAGSTER = ("handle_output", "load_input", "from_config_value", "_connect", "enter_operation_definition")
"""Methods that override those of its classes."""
CALLED_BY_TEMPLATES = ("has_stale",)
DRAWN_BY_TESTS = ("poisson_arrivals", "queue_waits", "run_of", "as_frame", "as_markdown", "damaged_files")
"""Arrivals, examples, tables and faults as the product has them, which only tests, benchmarks and docs ask for."""


def test_every_function_class_and_method_is_used() -> None:
    product = Vulture(
        ignore_decorators=FOUND_BY_DECORATOR, ignore_names=(*CALLED_BY_DAGSTER, *CALLED_BY_TEMPLATES, *DRAWN_BY_TESTS)
    )
    product.scavenge([str(ROOT / floor) for floor in FLOORS])
    unused = product.get_unused_code(min_confidence=60)
    told = [
        f"{each.filename.relative_to(ROOT)}:{each.first_lineno} {each.name}"
        for each in unused
        if each.typ in ("function", "class", "method", "property", "import")
    ]
    assert told == []

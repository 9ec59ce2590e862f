"""`iecon claims`: published claims beside what comes out today."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from pipelines.console import out, warehouse


class Verdict(StrEnum):
    """What the numbers say of a claim."""

    REPRODUCED = "reproduced"
    REPRODUCED_IN_PART = "reproduced_in_part"
    INCONCLUSIVE = "inconclusive"
    NOT_REPRODUCED = "not_reproduced"
    NOT_TESTABLE = "not_testable"


def claims(
    claim: Annotated[str | None, typer.Argument(help="One claim, to see all that stands behind it.")] = None,
    verdict: Annotated[Verdict | None, typer.Option(help="Only claims of this verdict.")] = None,
    document: Annotated[str | None, typer.Option(help="Only documents whose name contains this.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Hold published claims against what comes out today: reproduced, in part, not, or not testable and why."""
    from answers.claims import ledger, show_claim, show_ledger  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415

    if claim is not None:
        show_claim(warehouse(), claim, console=out)
        return
    rows = ledger(warehouse(), verdict=verdict, document=document)
    if as_json:
        write_json(rows, sys.stdout)
    else:
        show_ledger(rows, console=out)

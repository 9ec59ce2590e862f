"""The answers for an assistant, over the Model Context Protocol: the same questions, sandbox and limits as the command has.

Each tool is a thin call of the module that answers the command; a refusal comes back in its own words, so that an assistant can
ask again. Nothing can be written by any of them.
"""

import io
import json
from collections.abc import Callable
from datetime import date
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, ParamSpec, TypeVar

import duckdb
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from answers import claims as ledger
from answers import describe, provenance
from answers.decide.answer import decide as decision_of
from answers.decide.record import ServingQuestion
from answers.host_or_call.answer import host_or_call as host_or_call_of
from answers.host_or_call.asked import question_of
from answers.query import connect, first_records
from answers.text import write_json
from warehouse.changes import compare, release_before

INSTRUCTIONS = """\
What a useful token and a correct answer cost, from public evidence, as one DuckDB warehouse. Look up tables with `tables` and
`describe` (units are in the column names and comments; NULL means unknown, never zero), then ask `query` in DuckDB's SQL.
`marts` hold the answers, `core` the reconciled data, `raw` what was parsed, `meta` where everything comes from. Every number
can be followed to its document with `source`. Say the day, the unit and the interval of what you report."""
MEMORY = "500MB"
TIMEOUT_S = 30.0
MOST_ROWS = 1_000
DICTIONARY = "iecon://dictionary"
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
Row = dict[str, Any]


class AskedServing(ServingQuestion):
    """The question of `iecon decide`; a word that is none of its fields is refused."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


def assistant(latest: Callable[[], Path]) -> MCPServer:
    """The server over a warehouse; `latest` gives the published file at each question, and raises before the first refresh."""
    server = MCPServer("inference-economics", version=version("inference-economics"), instructions=INSTRUCTIONS)
    for name, tool in _tools(latest).items():
        server.tool(name, annotations=READS, structured_output=True)(_told(tool))

    @server.resource(DICTIONARY, name="data dictionary", mime_type="text/markdown")
    def dictionary() -> str:
        """Every table, view and macro with its rows and what it holds."""
        found = describe.listed(latest())
        return "\n".join(f"- `{each.name}`: {describe.first_sentence(each.description)}" for each in found)

    @server.resource(DICTIONARY + "/{table}", name="columns of a table", mime_type="text/markdown")
    def columns(table: str) -> str:
        """The columns of one table, view or macro with type, unit, meaning and rules."""
        return describe.in_text(table, warehouse=latest())

    return server


def _tools(latest: Callable[[], Path]) -> dict[str, Callable[..., Any]]:
    def query(
        sql: Annotated[str, Field(description="One statement in DuckDB's SQL; it can read and change nothing else.")],
        most_rows: Annotated[int, Field(ge=1, le=MOST_ROWS, description="Rows to return at most.")] = 100,
    ) -> Row:
        """Ask the published warehouse in SQL. `is_whole` says whether there are more rows than were returned."""
        rows, is_whole = first_records(latest(), sql, most=most_rows, memory=MEMORY, timeout_s=TIMEOUT_S)
        return {"rows": rows, "is_whole": is_whole}

    def tables(
        pattern: Annotated[str | None, Field(description="Word in name or meaning, or a pattern such as core.gpu*.")] = None,
    ) -> list[Row]:
        """List tables, views and macros with rows and what each holds."""
        return [each._asdict() for each in describe.listed(latest(), pattern)]

    def describe_table(table: Annotated[str, Field(description="Table, view or macro, such as core.llm_price.")]) -> str:
        """Say what a table holds, and of each column the type, unit, meaning and rules."""
        return describe.in_text(table, warehouse=latest())

    def prices_on(
        day: Annotated[date, Field(description="A day, such as 2025-01-01.")],
        models: Annotated[list[str], Field(min_length=1, description="Canonical models, such as gpt-4o.")],
    ) -> list[Row]:
        """Say what tokens of models cost on a day, by seller and leg, with whose date it is and the source of each price."""
        with connect(latest(), memory=MEMORY) as connection:
            found = connection.execute(PRICES_ON, {"day": day, "models": models})
            names = [column[0] for column in found.description or []]
            return [_plain(dict(zip(names, row, strict=True))) for row in found.fetchall()]

    def decide(question: AskedServing) -> Row:
        """Say which serving design meets a p99 contract most cheaply: its GPUs, its cost, and what would flip the answer."""
        found: Row = _plain(decision_of(question, warehouse=latest()))
        return found

    def host_or_call(
        model: Annotated[str, Field(description="Model, such as llama-3.3-70b.")],
        requests_per_s: Annotated[float, Field(gt=0, description="Mean requests per second.")],
        input_tokens: Annotated[float | None, Field(description="Of a prompt; else of the workload.")] = None,
        output_tokens: Annotated[float | None, Field(description="Of an answer as billed; else of the workload.")] = None,
        workload: Annotated[str | None, Field(description="Lengths from use: market, chat, agent, ...")] = None,
        gpus: Annotated[list[str] | None, Field(description="GPUs to weigh; all that have a rent where none is named.")] = None,
        ttft_p99_s: float = 2.0,
        tpot_p99_s: float = 0.05,
    ) -> Row:
        """Say whether to rent GPUs or to pay per token: each seller's bill, each GPU's, the break-even, and what flips it."""
        asked = question_of(
            latest(),
            model=model,
            rate=requests_per_s,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            workload=workload,
            ttft_p99_s=ttft_p99_s,
            tpot_p99_s=tpot_p99_s,
            gpus=tuple(gpus or ()),
        )
        found: Row = _plain(host_or_call_of(asked, warehouse=latest()))
        return found

    def claims(
        verdict: Annotated[str | None, Field(description="reproduced, reproduced_in_part, inconclusive, not_...")] = None,
        document: Annotated[str | None, Field(description="Part of the name of a document.")] = None,
    ) -> list[Row]:
        """List published claims beside what comes out today."""
        found: list[Row] = _plain(ledger.ledger(latest(), verdict=verdict, document=document))
        return found

    def source(
        place: Annotated[str, Field(description="Table or column, such as marts.price_frontier.cpm_usd_per_mtok.")],
        key: Annotated[str, Field(description="Value of the table's key, or column=value,column=value.")],
    ) -> list[Row]:
        """Follow a number back, row by row, to the documents it rests on: place, date and hash of each."""
        found: list[Row] = _plain(provenance.chain(latest(), place, key))
        return found

    def changes(
        since: Annotated[str | None, Field(description="A day or a kept release; else the one before the current.")] = None,
    ) -> Row:
        """Say what moved since an earlier release: prices, rents, frontiers, verdicts, models, sources, tables."""
        current = latest()
        before = release_before(current.parent, since)
        if before is None:
            raise ToolError("only one release is kept: there is nothing to compare it with yet")
        found: Row = _plain(compare(before, current))
        return found

    return {
        "query": query,
        "tables": tables,
        "describe": describe_table,
        "prices_on": prices_on,
        "decide": decide,
        "host_or_call": host_or_call,
        "claims": claims,
        "source": source,
        "changes": changes,
    }


PRICES_ON = """
    SELECT provider, model, leg, variant, tier_min_tokens, price_window, region, usd_per_mtok, valid_from, valid_to, date_basis,
           first_party, source, evidence_on
    FROM core.llm_price_on($day) WHERE list_contains($models, model) ORDER BY model, first_party DESC, provider, leg
"""


def _told(tool: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """The tool, whose refusals reach the assistant in their own words."""

    @wraps(tool)
    def answered(*arguments: Asked.args, **named: Asked.kwargs) -> Answer:
        try:
            return tool(*arguments, **named)
        except (ValueError, OSError, RuntimeError, duckdb.Error) as refusal:
            raise ToolError(str(refusal)) from refusal

    return answered


def _plain(answer: Any) -> Any:
    """An answer as JSON has it: dates as ISO, unknown as null."""
    text = io.StringIO()
    write_json(answer, text)
    return json.loads(text.getvalue())

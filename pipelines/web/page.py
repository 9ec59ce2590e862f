"""The report's page handed out on this machine, where its questions are answered exactly in place of from the grid.

It listens on loopback alone and stands behind the guard of the UI: another page can neither ask nor read. What is asked is read
only: SQL in the sandbox of `iecon query`, and answers that open no file of the user's.
"""

import re
from collections.abc import Awaitable, Callable
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import anyio
import duckdb
import msgspec
import uvicorn
from rich.console import Console
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from answers.decide.answer import decide
from answers.decide.record import ServingQuestion
from answers.decide.text import show_decision
from answers.host_or_call.answer import host_or_call
from answers.host_or_call.asked import question_of
from answers.host_or_call.text import show_host_or_call
from answers.query import StoppedError, first_records
from answers.text import PlainConsole, write_json
from figures import FOLDER, PAGE
from pipelines.web.guard import LOOPBACK, Guard, Rules

MOST_ROWS = 500
MEMORY, TIMEOUT_S = "1GB", 20.0
"""Bounds of one question in SQL."""
MOST_BYTES = 64_000
"""Of a question."""
AT_ONCE = 2
"""Questions that are answered at the same time; others wait."""
COLUMNS = 110
PICTURE = re.compile(r"[a-z0-9_]+\.(svg|png)")

Asked = TypeVar("Asked")


class Sql(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Statements, of which the last may return rows."""

    sql: str


class HostOrCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The part of `iecon host-or-call` that names no file."""

    model: str
    rate: float
    input_tokens: float | None = None
    output_tokens: float | None = None
    workload: str | None = None
    ttft_p99_s: float = 2.0
    tpot_p99_s: float = 0.05
    peak: float | None = None
    cached: float | None = None
    gpus: tuple[str, ...] = ()
    term: str | None = None
    usd_per_gpu_hour: float | None = None


def application(root: Path) -> Starlette:
    """The page of a data folder and the answers of its latest release, behind the guard."""
    latest = root / "releases" / "latest.duckdb"
    turns = anyio.CapacityLimiter(AT_ONCE)

    def answering(
        kind: type[Asked], answer: Callable[[Asked, Path], dict[str, Any]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            try:
                body = await _body(request)
                asked = msgspec.json.decode(body, type=kind)
                async with turns:
                    found = await run_in_threadpool(answer, asked, latest)
            except (ValueError, StoppedError, duckdb.Error) as error:
                return PlainTextResponse(f"{error}\n", 400)
            return Response(_as_json(found), media_type="application/json", headers=FRESH)

        return answered

    async def page(_: Request) -> Response:
        from figures.page import live  # noqa: PLC0415  (what draws takes long to import)

        return HTMLResponse(live((root / FOLDER / PAGE).read_text()), headers=FRESH)

    async def picture(request: Request) -> Response:
        file = root / FOLDER / "figures" / request.path_params["name"]
        if not PICTURE.fullmatch(file.name) or not file.exists():
            return PlainTextResponse("there is no such picture\n", 404)
        return FileResponse(file)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/figures/{name}", picture),
            Route("/decide", answering(ServingQuestion, _decided), methods=["POST"]),
            Route("/host-or-call", answering(HostOrCall, _host_or_call), methods=["POST"]),
            Route("/query", answering(Sql, _rows), methods=["POST"]),
        ],
        middleware=[Middleware(Guard, rules=Rules(LOOPBACK))],
    )


FRESH = {"Cache-Control": "no-store"}
"""A refresh may publish another release at any time."""


def hand_out(root: Path, *, port: int) -> None:
    """Hand the page out on this machine until Ctrl-C."""
    # Not uvicorn's trust in forwarded headers: whoever is on this machine could write them.
    uvicorn.run(application(root), host="127.0.0.1", port=port, log_level="warning", proxy_headers=False, lifespan="off")


async def _body(request: Request) -> bytes:
    """What was sent, as far as it may be long. Raises ValueError beyond that."""
    found = b""
    async for chunk in request.stream():
        found += chunk
        if len(found) > MOST_BYTES:
            raise ValueError(f"a question has at most {MOST_BYTES:,} bytes")
    return found


def _as_json(found: dict[str, Any]) -> str:
    text = StringIO()
    write_json(found, text)
    return text.getvalue()


def _rows(asked: Sql, latest: Path) -> dict[str, Any]:
    records, is_whole = first_records(latest, asked.sql, most=MOST_ROWS, memory=MEMORY, timeout_s=TIMEOUT_S)
    columns = list(records[0]) if records else []
    return {"columns": columns, "rows": [list(record.values()) for record in records], "more": not is_whole}


def _decided(asked: ServingQuestion, latest: Path) -> dict[str, Any]:
    found = decide(asked, warehouse=latest)
    return {"text": _said(lambda console: show_decision(found, console=console)), "answer": found}


def _host_or_call(asked: HostOrCall, latest: Path) -> dict[str, Any]:
    found = host_or_call(question_of(latest, **msgspec.structs.asdict(asked)), warehouse=latest)
    return {"text": _said(lambda console: show_host_or_call(found, console=console)), "answer": found}


def _said(show: Callable[[Console], None]) -> str:
    """What a command prints."""
    text = StringIO()
    show(PlainConsole(file=text, width=COLUMNS))
    return text.getvalue()

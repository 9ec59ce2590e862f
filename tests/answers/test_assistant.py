"""What an assistant is answered over the Model Context Protocol, asked by the SDK's own client."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import duckdb
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent

from answers.assistant import DICTIONARY, assistant
from tests.refreshed import ROOT

Asking = Callable[[Client], Awaitable[Any]]
QUESTION = {
    "model": "llama-3.1-70b",
    "gpu": "h100-sxm",
    "input_tokens": 4000,
    "output_tokens": 500,
    "requests_per_s": 20,
    "ttft_p99_s": 1.0,
    "tpot_p99_s": 0.05,
}


@pytest.fixture
def latest(refreshed: Path) -> Path:
    return refreshed / "releases" / "latest.duckdb"


def ask(latest: Path, asking: Asking) -> Any:
    async def asked() -> Any:
        async with Client(assistant(lambda: latest)) as client:
            return await asking(client)

    return anyio.run(asked)


def called(latest: Path, tool: str, arguments: dict[str, Any]) -> CallToolResult:
    return ask(latest, lambda client: client.call_tool(tool, arguments))


def answer(latest: Path, tool: str, arguments: dict[str, Any]) -> Any:
    result = called(latest, tool, arguments)
    assert not result.is_error, result.content
    content = result.structured_content
    assert content is not None
    return content["result"] if set(content) == {"result"} else content


def refusal(latest: Path, tool: str, arguments: dict[str, Any]) -> str:
    result = called(latest, tool, arguments)
    assert result.is_error
    (said,) = result.content
    assert isinstance(said, TextContent)
    return said.text


def test_every_tool_reads_only_and_says_what_it_is_for(latest: Path):
    tools = ask(latest, lambda client: client.list_tools()).tools
    assert {"query", "tables", "describe", "prices_on", "decide", "host_or_call", "claims", "source", "changes"} <= {
        tool.name for tool in tools
    }
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools)


def test_sql_is_answered_in_rows_and_says_whether_these_are_all(latest: Path):
    found = answer(latest, "query", {"sql": "SELECT i, NULL AS n, DATE '2026-01-02' AS d FROM range(5) t(i)", "most_rows": 2})
    assert found == {
        "rows": [{"i": 0, "n": None, "d": "2026-01-02"}, {"i": 1, "n": None, "d": "2026-01-02"}],
        "is_whole": False,
    }


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM core.gpu_prise", 'Did you mean "gpu_price"'),
        ("DELETE FROM core.gpu_price", "read-only"),
        ("SELECT * FROM read_csv('/etc/passwd')", "disabled by configuration"),
        ("COPY (SELECT 1) TO '/tmp/iecon-should-not-exist.csv'", "disabled by configuration"),
        ("SET memory_limit = '100GB'", "configuration has been locked"),
        ("SELECT 1; SELECT 2", "returns rows"),
    ],
)
def test_what_the_command_refuses_is_refused_in_the_same_words(latest: Path, sql: str, said: str):
    assert said in refusal(latest, "query", {"sql": sql})


def test_prices_of_a_day_have_their_seller_date_and_source(latest: Path):
    rows = answer(latest, "prices_on", {"day": "2025-01-01", "models": ["o1"]})
    (own,) = [row for row in rows if row["leg"] == "output" and row["provider"] == "openai" and row["variant"] == "standard"]
    assert own["usd_per_mtok"] == 60
    assert own["valid_from"] == "2024-12-17"
    assert own["source"]


def test_decide_answers_as_the_command_does_and_refuses_a_word_that_is_no_field(latest: Path):
    found = answer(latest, "decide", {"question": QUESTION})
    assert "colocated" in json.dumps(found)
    assert "usd_per_gpu_hr" in refusal(latest, "decide", {"question": {**QUESTION, "usd_per_gpu_hr": 2}})
    assert "did you mean h100-sxm" in refusal(latest, "decide", {"question": {**QUESTION, "gpu": "h100-smx"}})


def test_host_or_call_has_both_bills_and_refuses_what_is_missing(latest: Path):
    asked = {"model": "llama-3.3-70b", "requests_per_s": 2, "gpus": ["h100-sxm"]}
    found = answer(latest, "host_or_call", {**asked, "workload": "chat"})
    assert found["calls"]
    assert found["hosts"]
    assert "--workload" in refusal(latest, "host_or_call", asked)


def test_claims_and_where_a_number_comes_from(latest: Path):
    rows = answer(latest, "claims", {"document": "distserve"})
    assert {row["document"] for row in rows} == {"distserve"}
    (step, *_) = answer(latest, "source", {"place": "marts.price_frontier.score", "key": "model=gpt-4o,scale=eci"})
    assert step["table"] == "marts.price_frontier"
    assert "sha256" in json.dumps(step)
    assert "did you mean" in refusal(latest, "source", {"place": "marts.price_frontir", "key": "gpt-4o"})


def test_the_dictionary_is_a_resource(latest: Path):
    (all_tables,) = ask(latest, lambda client: client.read_resource(DICTIONARY)).contents
    assert "- `core.gpu_price`: " in all_tables.text
    (one,) = ask(latest, lambda client: client.read_resource(f"{DICTIONARY}/core.gpu_price")).contents
    assert "usd_per_gpu_hour" in one.text
    assert "usd_per_gpu_hour" in answer(latest, "describe", {"table": "core.gpu_price"})
    assert answer(latest, "tables", {"pattern": "core.gpu_pri*"})[0]["name"] == "core.gpu_price"


def test_there_is_nothing_to_compare_with_after_one_release(tmp_path: Path):
    (tmp_path / "releases").mkdir()
    with duckdb.connect(str(tmp_path / "releases" / "latest.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS i")
    assert "only one release" in refusal(tmp_path / "releases" / "latest.duckdb", "changes", {})


def test_it_is_served_on_standard_input_and_output(refreshed: Path):
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "pipelines.cli", "mcp"],
        env=dict(os.environ) | {"ECONOMICS_DATA": str(refreshed)},
        cwd=str(ROOT),
    )

    async def asked() -> Any:
        async with Client(command) as client:
            return await client.call_tool("query", {"sql": "SELECT count(*) > 0 AS some FROM core.llm_price"})

    assert anyio.run(asked).structured_content == {"rows": [{"some": True}], "is_whole": True}

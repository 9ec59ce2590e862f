"""The page handed out on this machine: exact answers for its own page, and nothing for any other."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.refreshed import ROOT, iecon

pytestmark = pytest.mark.slow
CONTRACT = {
    "model": "llama-3.1-70b",
    "gpu": "h100-sxm",
    "input_tokens": 2000,
    "output_tokens": 500,
    "requests_per_s": 16,
    "ttft_p99_s": 1,
    "tpot_p99_s": 0.05,
}


@pytest.fixture(scope="module")
def address(refreshed: Path) -> Iterator[str]:
    """`iecon serve` over the refreshed folder."""
    import os

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"ECONOMICS_DATA": str(refreshed)},
        stderr=subprocess.DEVNULL,
    )
    found = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(found, timeout=2).read()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.25)
        yield found
    finally:
        server.terminate()
        server.wait(timeout=30)


def asked(address: str, path: str, question: Any = None, **headers: str) -> tuple[int, str]:
    """Status and body of a question as the page itself puts it; `headers` replace its own."""
    own = {"Origin": address, "Content-Type": "application/json"} if question is not None else {}
    sent = own | {name.replace("_", "-"): value for name, value in headers.items()}
    body = None if question is None else json.dumps(question).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{address}{path}", body, sent), timeout=60) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_the_page_may_ask_this_server_and_nothing_else(address: str):
    status, html = asked(address, "/")
    assert status == 200
    assert "connect-src &#39;self&#39;" in html
    assert 'data-live="1"' in html
    assert asked(address, "/figures/price_frontier.svg")[1].startswith("<svg")


def test_decide_answers_as_the_command_does(address: str, refreshed: Path):
    status, body = asked(address, "/decide", CONTRACT)
    assert status == 200
    names = ("--model", "--gpu", "--in", "--out", "--rate", "--ttft-p99", "--tpot-p99")
    options = [part for name, value in zip(names, CONTRACT.values(), strict=True) for part in (name, str(value))]
    told = iecon(refreshed, "decide", "--json", *options)
    assert json.loads(body)["answer"] == json.loads(told.stdout)
    assert json.loads(body)["text"].startswith("Cheapest that meets the contract")


def test_host_or_call_and_sql_are_answered(address: str):
    load = {"rate": 2, "input_tokens": 2000, "output_tokens": 500}
    status, body = asked(address, "/host-or-call", {"model": "llama-3.1-70b", **load})
    assert status == 200
    assert "a month" in json.loads(body)["text"]
    assert json.loads(asked(address, "/query", {"sql": "SELECT 1 AS one, NULL AS nothing"})[1]) == {
        "columns": ["one", "nothing"],
        "rows": [[1, None]],
        "more": False,
    }


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '/tmp/written_by_a_page.csv'",
        "CREATE TABLE marts.mine AS SELECT 1",
        "SET enable_external_access = true",
        "ATTACH '/tmp/other.duckdb'",
        "INSTALL httpfs",
        "",
    ],
)
def test_sql_reads_the_release_and_nothing_else(address: str, sql: str):
    status, said = asked(address, "/query", {"sql": sql})
    assert status == 400
    assert said.strip()


def test_no_other_page_and_no_other_name_is_answered(address: str):
    question = {"sql": "SELECT 1"}
    assert asked(address, "/query", question, Origin="http://evil.example")[0] == 403
    assert asked(address, "/query", question, Origin="null")[0] == 403
    assert asked(address, "/query", question, Content_Type="text/plain")[0] == 415
    assert asked(address, "/query", question, Host="evil.example")[0] == 421
    assert asked(address, "/", Host="evil.example")[0] == 421
    assert asked(address, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="script")[0] == 403
    assert asked(address, "/query")[0] == 405


@pytest.mark.parametrize("name", ["../index.html", "..%2findex.html", "..%2f..%2fconfig.yaml", "no_such.svg", ".sha256"])
def test_only_pictures_are_handed_out(address: str, name: str):
    assert asked(address, f"/figures/{name}")[0] == 404


@pytest.mark.parametrize(
    ("path", "question", "said"),
    [
        ("/decide", {"model": "llama-3.1-70b"}, "missing required"),
        ("/decide", CONTRACT | {"gpu": "h100-sxn"}, "h100-sxm"),
        ("/decide", CONTRACT | {"tpot_p99_s": "fast"}, "tpot_p99_s"),
        ("/host-or-call", {"model": "llama-3.1-70b", "rate": 1, "trace": "/etc/passwd"}, "unknown field `trace`"),
        ("/query", {"sql": "SELECT * FROM marts.price_frontire"}, "price_frontier"),
        ("/query", {"sql": "x" * 70_000}, "at most"),
    ],
)
def test_a_wrong_question_gets_the_line_that_mends_it(address: str, path: str, question: dict[str, Any], said: str):
    status, body = asked(address, path, question)
    assert status == 400
    assert said in body


def test_a_reader_gets_exact_answers_in_the_page(browser, address: str):
    page = browser.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.goto(address)
    page.locator("html[data-ready=all]").wait_for(state="attached", timeout=120_000)
    contract = page.locator("[data-calculator=contract]")
    contract.locator("[name=rate]").fill("21")
    contract.locator(".exact").click()
    contract.locator(".exactly pre", has_text="21 requests/s").wait_for(timeout=60_000)
    sql = page.locator("[data-calculator=sql]")
    sql.locator("textarea").fill("SELECT 6 * 7 AS answer")
    sql.locator(".exact").click()
    sql.locator(".exactly td", has_text="42").wait_for(timeout=60_000)
    sql.locator("textarea").fill("SELECT nothing")
    sql.locator(".exact").click()
    sql.locator(".exactly .missing").wait_for(timeout=60_000)
    assert [line for line in heard if "400" not in line] == []


def test_serve_says_what_is_missing(tmp_path: Path):
    told = iecon(tmp_path, "serve")
    assert told.returncode == 1
    assert "run `iecon refresh` first" in told.stderr

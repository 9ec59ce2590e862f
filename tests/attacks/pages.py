"""Other web pages against the UI, in a real browser: each tries to delete a run and to wipe an asset.

The pages stand on another port of this machine, and under a name that was let point here after it was opened, as in DNS
rebinding. What they did is read from Dagster's records themselves.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg

from pipelines.resources import instance

REBOUND = "rebound.example"
"""A name that the browser resolves to this machine."""
REBINDING = f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"
ASSET = dg.AssetKey("victim")
PATIENCE_MS = 5_000


def mutation_of(run_id: str) -> str:
    """The mutation that deletes a run and wipes the asset."""
    return (
        f'mutation {{ deletePipelineRun(runId: "{run_id}") {{ __typename }} '
        'wipeAssets(assetPartitionRanges: [{assetKey: {path: ["victim"]}}]) { __typename } }'
    )


def make_victims(folder: Path, n: int) -> list[str]:
    """Runs with a materialised asset in the records of a data folder."""

    @dg.asset(key=ASSET)
    def victim() -> None: ...

    with instance(folder) as records:
        return [dg.materialize([victim], instance=records).run_id for _ in range(n)]


def lost(folder: Path, runs: list[str]) -> list[str]:
    """What is gone of the victims: run ids, and the name of the asset."""
    with instance(folder) as records:
        gone = [run_id for run_id in runs if records.get_run_by_id(run_id) is None]
        wiped = records.get_latest_materialization_event(ASSET) is None
        return [*gone, *(["the asset"] if wiped else [])]


def attacks(target: str, mutation: str) -> dict[str, str]:
    """Scripts by what they try, each run by a page of another origin; `target` is the address of GraphQL."""
    address, body = json.dumps(f"{target}?query={quote(mutation)}"), json.dumps(json.dumps({"query": mutation}))
    asked, text = json.dumps(target), json.dumps(mutation)
    own = json.dumps(target.removesuffix("/graphql"))
    socket = json.dumps(target.replace("http", "ws", 1))
    start = json.dumps(json.dumps({"id": "1", "type": "start", "payload": {"query": mutation}}))
    field = f"form.innerHTML = '<input name=query>'; form.elements[0].value = {text};"
    return {
        "image": f"await new Promise(r => {{const i = new Image(); i.onload = i.onerror = r; i.src = {address};}})",
        "frame": "await new Promise(r => {const f = document.createElement('iframe'); f.onload = r; "
        f"f.src = {address}; document.body.append(f);}})",
        "script": "await new Promise(r => {const s = document.createElement('script'); s.onload = s.onerror = r; "
        f"s.src = {address}; document.body.append(s);}})",
        "fetch by GET": f"await fetch({address}, {{mode: 'no-cors'}})",
        "fetch of JSON": f"await fetch({asked}, {{method: 'POST', body: {body}, "
        "headers: {'Content-Type': 'application/json'}})",
        "fetch of text": f"await fetch({asked}, {{method: 'POST', body: {body}, mode: 'no-cors', "
        "headers: {'Content-Type': 'text/plain; application/json'}})",
        "fetch with the query in the address": f"await fetch({address}, {{method: 'POST', mode: 'no-cors'}})",
        "beacon": f"navigator.sendBeacon({asked}, new Blob([{body}], {{type: 'text/plain'}})); "
        "await new Promise(r => setTimeout(r, 500))",
        "form": "await new Promise(r => {const frame = document.createElement('iframe'); frame.name = 'into'; "
        "document.body.append(frame); const form = document.createElement('form'); form.target = 'into'; "
        f"form.method = 'POST'; form.action = {address}; {field} document.body.append(form); frame.onload = r; "
        "form.submit();})",
        "form by GET": "await new Promise(r => {const frame = document.createElement('iframe'); frame.name = 'into'; "
        "document.body.append(frame); const form = document.createElement('form'); form.target = 'into'; "
        f"form.method = 'GET'; form.action = {asked}; {field} document.body.append(form); frame.onload = r; "
        "form.submit();})",
        "WebSocket": f"await new Promise(r => {{const s = new WebSocket({socket}, 'graphql-ws'); "
        f's.onopen = () => {{s.send(\'{{"type": "connection_init"}}\'); s.send({start}); setTimeout(r, 600);}}; '
        "s.onerror = r;})",
        "window": f"window.open({own} + '/runs'); await new Promise(r => setTimeout(r, 300))",
    }


def within(script: str) -> str:
    """A function that runs a script, whatever it throws, and waits for it a second at most."""
    return (
        f"() => Promise.race([(async () => {{ try {{ {script} }} catch (error) {{ return String(error) }} }})(), "
        "new Promise(r => setTimeout(r, 1000))])"
    )


@contextmanager
def foreign_page() -> Iterator[int]:
    """A server of an empty page on a port of its own; yields the port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>foreign</title><body>")

        def log_message(self, format: str, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()


def attack(browser: Any, folder: Path, address: str, runs: list[str]) -> list[str]:
    """Run every attack against a UI over a folder and return those that deleted something.

    Needs two victim runs for every attack and one more, for the rebound name.
    """
    left, tried = list(runs), {}
    with foreign_page() as port:
        for where in (f"127.0.0.1:{port}", f"{REBOUND}:{port}"):
            for name in attacks(address, ""):
                run_id = left.pop()
                tried[run_id] = f"{name} from {where}"
                page = browser.new_page()
                page.set_default_timeout(PATIENCE_MS)
                page.goto(f"http://{where}/")
                page.evaluate(within(attacks(f"{address}/graphql", mutation_of(run_id))[name]))
                page.close()
    run_id = left.pop()
    tried[run_id] = "the UI's own page under the rebound name"
    page = browser.new_page()
    page.goto(f"http://{REBOUND}:{address.rpartition(':')[2]}/")
    page.evaluate(within(attacks("/graphql", mutation_of(run_id))["fetch of JSON"]))
    page.close()
    return [tried.get(each, each) for each in lost(folder, list(tried))]

"""Other web pages in a real browser against the real UI: with the guard they change nothing, without it they do."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.attacks.pages import REBINDING, attack, attacks, make_victims, mutation_of
from tests.browser import chromium, serving

N = 2 * len(attacks("http://x/graphql", "")) + 1


@pytest.mark.slow
def test_no_page_but_its_own_changes_anything(tmp_path: Path):
    runs = make_victims(tmp_path, N)
    with chromium(REBINDING) as browser, serving(tmp_path) as address:
        assert attack(browser, tmp_path, address, runs) == []
        page, said = browser.new_page(), []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{address}/runs")  # and its own page works, down to a mutation
        page.get_by_text(runs[0][:8]).first.wait_for(timeout=60_000)
        asked = page.evaluate(
            """async query => (await (await fetch('/graphql', {method: 'POST', body: JSON.stringify({query}),
            headers: {'Content-Type': 'application/json'}})).json())""",
            mutation_of(runs[0]),
        )
        assert asked["data"]["deletePipelineRun"]["__typename"] == "DeletePipelineRunSuccess"
        assert said == []


@pytest.mark.slow
def test_they_do_where_nothing_stands_before_dagster(tmp_path: Path):
    runs = make_victims(tmp_path, N)
    with chromium(REBINDING) as browser, serving(tmp_path, module="dagster_webserver") as address:
        won = attack(browser, tmp_path, address, runs)
    ways = {each.split(" from ")[0] for each in won}
    assert ways >= {"image", "form", "fetch of text", "the UI's own page under the rebound name"}


@pytest.mark.slow
def test_read_only_ui_refuses_its_own_page_too(tmp_path: Path):
    (run_id,) = make_victims(tmp_path, 1)
    with serving(tmp_path, "--read-only") as address:
        body = json.dumps({"query": mutation_of(run_id)}).encode()
        own = {"Content-Type": "application/json", "Origin": address}
        request = urllib.request.Request(f"{address}/graphql", body, own)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
    assert b"this UI is read-only" in refused.value.read()

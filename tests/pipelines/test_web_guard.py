"""The guard before Dagster's UI, request by request."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Scope

from pipelines.web.guard import COOKIE, Guard, Rules, names_of, refusal

HERE = "127.0.0.1:3000"
JSON = {"content-type": "application/json"}
OWN = {"origin": f"http://{HERE}"}


def asked(
    method: str = "GET",
    path: str = "/graphql",
    *,
    host: str = HERE,
    query: str = "",
    kind: str = "http",
    **headers: str | tuple[str, ...],
) -> Scope:
    """A request as the server hands it on; `_` in the name of a header stands for `-`."""
    sent = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    pairs = [
        (name.encode(), value.encode("latin-1"))
        for name, values in sent.items()
        for value in ((values,) if isinstance(values, str) else values)
    ]
    return {"type": kind, "method": method, "path": path, "query_string": query.encode(), "headers": pairs}


def status(scope: Scope, rules: Rules = Rules()) -> int | None:  # noqa: B008  (frozen)
    refused = refusal(scope, rules)
    return refused.status if refused else None


@pytest.mark.parametrize("host", [HERE, "localhost:3000", "[::1]:3000", "LOCALHOST:8080", "127.0.0.1"])
def test_page_of_this_machine_is_shown(host: str):
    assert status(asked(path="/runs", host=host)) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "127.0.0.1.evil.example",
        "localhost.",
        "127.0.0.1:3000@evil.example",
        "",
        "a b",
        "127.0.0.1:999999",
    ],
)
def test_name_that_it_was_not_started_for_is_refused(host: str):
    assert status(asked(path="/runs", host=host)) == 421


def test_named_hosts_and_the_address_it_listens_on_are_its_own():
    names = names_of("192.168.1.5", ["Economics.example.org"])
    assert status(asked(path="/", host="economics.example.org"), Rules(names)) is None
    assert status(asked(path="/", host="192.168.1.5:3000"), Rules(names)) is None
    assert status(asked(path="/", host="0.0.0.0:3000"), Rules(names_of("0.0.0.0"))) == 421


def test_mutation_by_get_is_refused_and_the_playground_is_shown():
    assert status(asked(query="query=mutation{deletePipelineRun(runId:%22x%22){__typename}}")) == 405
    assert status(asked(path="/graphql/", query="query=")) == 405
    assert status(asked(accept="text/html")) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (JSON | OWN, None),
        ({"content-type": "application/json; charset=utf-8"} | OWN, None),
        (JSON | {"sec-fetch-site": "same-origin"}, None),
        (JSON, 403),
        (JSON | {"origin": "http://evil.example"}, 403),
        (JSON | {"origin": "http://localhost:8000"}, 403),  # another server of this machine
        (JSON | {"origin": "http://127.0.0.1"}, 403),
        (JSON | {"origin": "null"}, 403),
        (JSON | {"origin": f"http://{HERE}.evil.example"}, 403),
        (JSON | {"origin": f"http://{HERE}@evil.example"}, 403),
        (JSON | {"sec-fetch-site": "same-site"}, 403),
        (JSON | {"origin": "http://evil.example", "sec-fetch-site": "same-origin"}, 403),
        (OWN, 415),
        ({"content-type": "text/plain"} | OWN, 415),
        ({"content-type": "text/plain; application/json"} | OWN, 415),  # Dagster looks for the word anywhere
        ({"content-type": "application/graphql"} | OWN, 415),
        ({"content-type": "application/x-www-form-urlencoded"} | OWN, 415),
    ],
)
def test_post_is_json_from_its_own_page(headers: dict[str, str], expected: int | None):
    assert status(asked("POST", **headers)) == expected


@pytest.mark.parametrize("header", ["host", "origin", "content_type"])
def test_header_that_stands_twice_is_refused(header: str):
    doubled = {"content_type": "application/json", "origin": f"http://{HERE}", "host": HERE}
    scope = asked("POST", **{name: value for name, value in doubled.items() if name != header})
    name = header.replace("_", "-").encode()
    others = [pair for pair in scope["headers"] if pair[0] != name]
    scope["headers"] = [*others, (name, doubled[header].encode()), (name, b"evil.example")]
    assert status(scope) == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT"])
def test_no_other_method_is_answered(method: str):
    assert status(asked(method, **JSON, **OWN)) == 405


def test_other_page_may_link_here_and_nothing_else():
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert status(asked(path="/runs", **link)) is None
    for how in ({"sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"}, {"sec_fetch_dest": "iframe"}):
        assert status(asked(path="/runs", **link | how)) == 403


def test_websocket_is_opened_from_its_own_page_only():
    assert status(asked(kind="websocket", **OWN)) is None
    assert status(asked(kind="websocket")) == 403
    assert status(asked(kind="websocket", origin="http://evil.example")) == 403


def test_behind_a_proxy_the_browser_asks_another_name_than_the_proxy():
    rules = Rules(names_of("127.0.0.1", ["economics.example.org"]))
    outside = {"origin": "https://economics.example.org"}
    assert status(asked("POST", host="economics.example.org", **JSON, **outside), rules) is None
    assert status(asked("POST", **JSON, **outside), rules) is None  # a proxy that hands on its own Host
    assert status(asked("POST", **JSON, **outside)) == 403


class TestToken:
    RULES = Rules(token="s3cr3t")

    def test_nothing_is_shown_without_it(self):
        assert status(asked(path="/runs"), self.RULES) == 401
        assert status(asked(path="/runs", authorization="Bearer other"), self.RULES) == 401
        assert status(asked("POST", **JSON, **OWN), self.RULES) == 401
        assert status(asked(kind="websocket", **OWN), self.RULES) == 401

    def test_in_a_header_it_stands_for_a_page(self):
        assert status(asked("POST", authorization="Bearer s3cr3t", **JSON), self.RULES) is None
        assert status(asked(kind="websocket", authorization="bearer s3cr3t"), self.RULES) is None
        assert status(asked("POST", authorization="Bearer s3cr3t", origin="http://evil.example", **JSON), self.RULES) == 403

    def test_in_the_address_it_becomes_a_cookie_which_does_not_hold_it(self):
        answer = answered(asked(path="/runs", query="token=s3cr3t&view=all"), self.RULES)
        headers = {name.decode(): value.decode() for name, value in answer[0]["headers"]}
        assert (answer[0]["status"], headers["location"]) == (303, "/runs?view=all")
        assert "HttpOnly" in headers["set-cookie"]
        assert "SameSite=strict" in headers["set-cookie"]
        cookie = headers["set-cookie"].split(";")[0]
        assert cookie.startswith(COOKIE)
        assert "s3cr3t" not in cookie
        assert status(asked("POST", cookie=cookie, **JSON, **OWN), self.RULES) is None
        assert status(asked("POST", cookie=cookie, **JSON), self.RULES) == 403

    @pytest.mark.parametrize(
        "scope",
        [
            asked(path="/", query="token=other"),
            asked(path="/", query="token=s3cr3t", host="evil.example"),
            asked("POST", path="/", query="token=s3cr3t"),
        ],
        ids=["wrong", "another host", "POST"],
    )
    def test_no_cookie_for_a_wrong_one_or_under_another_name(self, scope: Scope):
        assert answered(scope, self.RULES)[0]["status"] in (401, 421)

    def test_it_leads_nowhere_else(self):
        answer = answered(asked(path="//evil.example/", query="token=s3cr3t"), self.RULES)
        assert dict(answer[0]["headers"])[b"location"] == b"/evil.example/"


def test_answers_cannot_be_framed():
    headers = dict(answered(asked(path="/runs"), Rules())[0]["headers"])
    assert headers[b"x-frame-options"] == b"DENY"


def answered(scope: Scope, rules: Rules) -> list[Message]:
    """What a guarded application sends for a request."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Guard(PlainTextResponse("page"), rules)(scope, receive, send))
    return sent

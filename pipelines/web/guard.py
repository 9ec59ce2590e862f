"""What stands before Dagster's UI, because to listen on this machine alone is no login.

Any page that is open in a browser of this machine can send requests to 127.0.0.1: by an image, a form, a script, a WebSocket,
or under a name of its own that it lets point here (DNS rebinding). The browser says truthfully where a request comes from, in
`Host`, `Origin` and `Sec-Fetch-Site`, and no page can change that. So: only names that the UI was started for; from another
page only links; and what can change something only as JSON by POST from the UI's own page, or with the token.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
COOKIE = "iecon_token"
TOKEN = "token"
"""Parameter of the first address that is opened, which puts the token into a cookie."""
SAFE = ("GET", "HEAD", "OPTIONS")
SINGLE = ("host", "origin", "content-type", "sec-fetch-site", "authorization")
"""Headers that may stand once: of two, the guard could judge one and the application believe the other."""
DEFAULT_PORTS = {"http": "80", "https": "443"}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?")


@dataclass(frozen=True)
class Rules:
    """What a guard lets through. `names` are the hosts, without port, under which the UI may be asked."""

    names: frozenset[str] = LOOPBACK
    token: str | None = None


@dataclass(frozen=True)
class Refusal:
    """Status and the rule that a request broke, in one line."""

    status: int
    rule: str


def names_of(host: str, stated: Sequence[str] = ()) -> frozenset[str]:
    """Names under which a UI may be asked that listens on `host`: this machine's own, that one, and those stated."""
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    anywhere = {"0.0.0.0", "[::]"}
    return LOOPBACK | ({bracketed.lower()} - anywhere) | {name.lower() for name in stated}


def refusal(scope: Scope, rules: Rules) -> Refusal | None:
    """Why a request is not let through, or None."""
    headers = Headers(scope=scope)
    doubled = next((name for name in SINGLE if len(headers.getlist(name)) > 1), None)
    if doubled:
        return Refusal(400, f"the header {doubled} stands twice")
    if (host := _HOST.fullmatch(headers.get("host", "").lower())) is None or host[1] not in rules.names:
        return Refusal(421, "this UI was not started for the host that was asked; `iecon ui --name HOST` adds one")
    has_token = rules.token is not None and _shows_token(headers, rules.token)
    if rules.token is not None and not has_token:
        return Refusal(401, "open the address that `iecon ui --token` printed, or send `Authorization: Bearer TOKEN`")
    own = _is_own_origin(headers, host[1], host[2], rules)
    if own is False:
        return Refusal(403, "the request comes from another page")
    if scope["type"] == "websocket":
        return None if own or _bearer(headers) else Refusal(403, "a WebSocket must say where it comes from (Origin)")
    return _refusal_of_method(scope, headers, own=own)


def _refusal_of_method(scope: Scope, headers: Headers, *, own: bool | None) -> Refusal | None:
    if scope["method"] in SAFE:
        return _refusal_of_get(scope, headers)
    if scope["method"] != "POST":
        return Refusal(405, "only GET and POST are answered")
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return Refusal(415, "POST takes application/json")
    if not own and headers.get("sec-fetch-site") != "same-origin" and not _bearer(headers):
        return Refusal(403, "a POST must say where it comes from: Origin, Sec-Fetch-Site or a token")
    return None


def _refusal_of_get(scope: Scope, headers: Headers) -> Refusal | None:
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    if headers.get("sec-fetch-site") not in (None, "same-origin", "none") and not is_link:
        return Refusal(403, "another page may link here, and do nothing else")
    asked = {name for name, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)}
    if scope["path"].rstrip("/").endswith("/graphql") and "query" in asked:
        return Refusal(405, "GraphQL is asked by POST")
    return None


def _is_own_origin(headers: Headers, name: str, port: str | None, rules: Rules) -> bool | None:
    """Whether `Origin` is the page of the UI itself; None where it is not stated.

    A proxy may ask us under another name than the browser asked it: the stated names are ours as well. `null` is the origin
    of a page that hides where it comes from.
    """
    if "origin" not in headers:
        return None
    try:
        origin = urlsplit(headers["origin"].lower())
        found = _HOST.fullmatch(origin.netloc)
    except ValueError:
        return False
    if found is None or origin.scheme not in DEFAULT_PORTS or origin.path or origin.query:
        return False
    default = DEFAULT_PORTS[origin.scheme]
    is_asked = (found[1], found[2] or default) == (name, port or default)
    return is_asked or found[1] in rules.names - LOOPBACK


def _bearer(headers: Headers) -> str | None:
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value if kind.lower() == "bearer" and value else None


def _shows_token(headers: Headers, token: str) -> bool:
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        cookie = None
    shown = (_bearer(headers) or "", token), (cookie.value if cookie else "", _cookie_value(token))
    return any(hmac.compare_digest(said.encode(), right.encode()) for said, right in shown)


def _cookie_value(token: str) -> str:
    """What the browser keeps in place of the token: other servers of this machine are shown the same cookies."""
    return hashlib.sha256(f"iecon ui {token}".encode()).hexdigest()


class Guard:
    """ASGI middleware that answers what the rules refuse, and lets nobody frame what it lets through."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif (welcome := self._welcome(scope)) is not None:
            await welcome(scope, receive, send)
        elif (refused := refusal(scope, self.rules)) is None:
            await self.app(scope, receive, _unframed(send))
        elif scope["type"] == "http":
            await PlainTextResponse(f"{refused.rule}\n", refused.status)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": refused.rule})

    def _welcome(self, scope: Scope) -> Response | None:
        """The answer to an address that carries the token: a cookie, and the same address without it."""
        token = self.rules.token
        if token is None or scope["type"] != "http" or scope["method"] != "GET":
            return None
        asked = parse_qsl(scope["query_string"].decode("latin-1"))
        shown = [value for name, value in asked if name == TOKEN]
        host = _HOST.fullmatch(Headers(scope=scope).get("host", "").lower())
        is_right = bool(shown) and hmac.compare_digest(shown[0].encode(), token.encode())
        if not is_right or host is None or host[1] not in self.rules.names:
            return None
        rest = urlencode([(name, value) for name, value in asked if name != TOKEN])
        path = "/" + scope["path"].lstrip("/\\")
        answer = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
        answer.set_cookie(COOKIE, _cookie_value(token), httponly=True, samesite="strict")
        return answer


def _unframed(send: Send) -> Send:
    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-Frame-Options"] = "DENY"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
        await send(message)

    return told

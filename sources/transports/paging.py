"""Documents that take more than one request: paged lists, and documents whose address carries a version."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from sources.source import HttpPages, HttpVersioned
from sources.transports.http import Fetched, FetchError, Known, NotModified, Policy, asking, same_host, without_login


def get_pages(rung: HttpPages, policy: Policy) -> Fetched:
    """Get all pages of a paged JSON list as one document `{items: [...]}`.

    The document is canonical, so that the same content has the same hash: keys are sorted, items are sorted by their
    text (servers promise no order), numbers keep the digits they were published with. Raises FetchError, also where
    the list is longer than the policy allows: part of a list would pass for the whole.
    """
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
    encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")
    items: list[bytes] = []
    seen: set[str] = set()
    url: str | None = rung.url
    size = 0
    with asking(policy, "application/json") as ask:
        while url:
            if url in seen:
                raise FetchError(url, "next page is a page already read")
            if len(seen) == policy.max_pages:
                raise FetchError(rung.url, f"more than {policy.max_pages} pages")
            seen.add(url)
            fetched = ask(url, Known())
            assert isinstance(fetched, Fetched), "no validators were sent"
            size += len(fetched.body)
            if size > policy.max_bytes:
                raise FetchError(rung.url, f"pages are larger than {policy.max_bytes} bytes together")
            try:
                page = decoder.decode(fetched.body)
                found, following = page.get(rung.items), page.get(rung.next_link)
                if isinstance(found, list):
                    items.extend(encoder.encode(item) for item in found)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise FetchError(url, f"page is not a JSON object ({error})") from error
            if not isinstance(found, list):
                raise FetchError(url, f"page has no list under {rung.items!r}")
            if following is not None and not isinstance(following, str):
                raise FetchError(url, f"{rung.next_link!r} is not an address")
            url = same_host(url, following, "next page") if following else None
    name = encoder.encode(rung.items)
    return Fetched(b"{" + name + b":[" + b",".join(sorted(items)) + b"]}", without_login(rung.url))


def get_versioned(rung: HttpVersioned, policy: Policy, *, known: Known | None = None) -> Fetched | NotModified:
    """Read the version, then the document of that version; NotModified where `known` has that version already.

    Raises FetchError.
    """
    with asking(policy) as ask:
        answer = ask(rung.version_url, Known())
        assert isinstance(answer, Fetched), "no validators were sent"
        current = answer.body[:200].decode(errors="replace").strip().strip('"')
        if not re.fullmatch(r"\w[\w.+-]{0,99}", current, re.ASCII) or ".." in current:
            raise FetchError(rung.version_url, f"{current[:40]!r} is no version")
        if known is not None and known.package_version == current:
            return NotModified()
        document = ask(rung.url.replace("{version}", current), Known())
        assert isinstance(document, Fetched), "no validators were sent"
        return replace(document, package_version=current)

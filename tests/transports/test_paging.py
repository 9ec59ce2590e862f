"""Documents of several requests: paged lists and versioned catalogues, from a real server."""

import json
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.source import HttpPages, HttpVersioned
from sources.transports.http import Fetched, FetchError, Known, NotModified, Policy
from sources.transports.paging import get_pages, get_versioned
from tests import live_server as answers
from tests.live_server import HERE, LiveServer, running

SOON = Policy(private_hosts=HERE, min_interval_s=0.0, deadline_s=20.0)
OFFERS = [{"sku": f"gpu-{n}", "retailPrice": n / 8} for n in range(7)]


def paged(url: str) -> HttpPages:
    return HttpPages(url=url, items="Items", next_link="NextPageLink")


def as_text(item: object) -> str:
    return json.dumps(item, sort_keys=True)


@pytest.fixture(scope="module")
def shared_server() -> Iterator[LiveServer]:
    yield from running()


class TestPages:
    def test_all_pages_become_one_list(self, live_server: LiveServer) -> None:
        url = live_server.serve_pages("/offers", OFFERS, page_size=3)
        fetched = get_pages(paged(url), SOON)
        assert json.loads(fetched.body) == {"Items": OFFERS}
        assert fetched.uri == url
        assert len(live_server.requests) == 3

    def test_empty_list(self, live_server: LiveServer) -> None:
        assert get_pages(paged(live_server.serve_pages("/offers", [], page_size=3)), SOON).body == b'{"Items":[]}'

    def test_digits_stay_as_published(self, live_server: LiveServer) -> None:
        page = b'{"Items": [{"p": 0.10, "n": 123456789012345678901}, {"p": 0.0000006000000000000000000001}]}'
        body = get_pages(paged(live_server.serve("/offers", answers.document(page))), SOON).body
        assert body == b'{"Items":[{"n":123456789012345678901,"p":0.10},{"p":6.000000000000000000001E-7}]}'

    @given(
        items=st.lists(
            st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3) | st.none(), max_size=3),
            max_size=8,
        ),
        first=st.integers(1, 4),
        second=st.integers(1, 4),
        order=st.randoms(use_true_random=False),
    )
    @settings(max_examples=30, deadline=None)
    def test_same_items_give_same_bytes(
        self, shared_server: LiveServer, items: list[dict[str, object]], first: int, second: int, order: Random
    ) -> None:
        """Neither the size of the pages nor the order of items and keys changes the document."""
        shuffled = [dict(reversed(list(item.items()))) for item in items]
        order.shuffle(shuffled)
        one = get_pages(paged(shared_server.serve_pages("/one", items, page_size=first)), SOON)
        two = get_pages(paged(shared_server.serve_pages("/two", shuffled, page_size=second)), SOON)
        assert one.body == two.body
        assert sorted(map(as_text, json.loads(one.body)["Items"])) == sorted(map(as_text, items))

    @pytest.mark.parametrize(
        ("page", "rule"),
        [
            (b"<!doctype html>", "not a JSON object"),
            (b"[1, 2]", "not a JSON object"),
            (b'{"Items": [1, 2', "not a JSON object"),
            (b'{"Items": [' + b"[" * 100_000, "not a JSON object"),
            (b'{"items": []}', "no list under 'Items'"),
            (b'{"Items": {"a": 1}}', "no list under 'Items'"),
            (b'{"Items": [], "NextPageLink": 7}', "'NextPageLink' is not an address"),
            (b'{"Items": [], "NextPageLink": "https://example.org/?skip=1"}', "next page leads elsewhere"),
            (b'{"Items": [], "NextPageLink": "/offers"}', "a page already read"),
        ],
    )
    def test_what_is_no_page_is_refused(self, live_server: LiveServer, page: bytes, rule: str) -> None:
        url = live_server.serve("/offers", answers.document(page))
        with pytest.raises(FetchError, match=rule):
            get_pages(paged(url), SOON)
        assert len(live_server.requests) == 1

    def test_part_of_a_list_never_passes_for_the_whole(self, live_server: LiveServer) -> None:
        url = live_server.serve_pages("/offers", OFFERS, page_size=1)
        with pytest.raises(FetchError, match="more than 6 pages"):
            get_pages(paged(url), Policy(private_hosts=HERE, min_interval_s=0, max_pages=6))
        assert (
            json.loads(get_pages(paged(url), Policy(private_hosts=HERE, min_interval_s=0, max_pages=7)).body)["Items"] == OFFERS
        )
        live_server.serve("/offers?skip=4", answers.status(404))
        with pytest.raises(FetchError, match="HTTP 404"):
            get_pages(paged(url), SOON)

    def test_cap_holds_for_all_pages_together(self, live_server: LiveServer) -> None:
        url = live_server.serve_pages("/offers", OFFERS, page_size=1)
        with pytest.raises(FetchError, match="pages are larger than 200 bytes together"):
            get_pages(paged(url), Policy(private_hosts=HERE, min_interval_s=0, max_bytes=200))

    def test_deadline_holds_for_all_pages_together(self, live_server: LiveServer) -> None:
        url = live_server.serve_pages("/offers", OFFERS, page_size=1)
        slow = Policy(private_hosts=HERE, min_interval_s=0.2, deadline_s=0.5)
        with pytest.raises(FetchError, match=r"0\.5 s"):
            get_pages(paged(url), slow)
        assert len(live_server.requests) < 5


class TestVersions:
    def test_version_names_the_document(self, live_server: LiveServer) -> None:
        version_url, url = live_server.serve_version("/v3/vast", "20261120-7", b"zip")
        fetched = get_versioned(HttpVersioned(version_url, url), SOON)
        assert isinstance(fetched, Fetched)
        assert (fetched.body, fetched.package_version) == (b"zip", "20261120-7")
        assert fetched.uri == live_server.url + "/v3/vast/20261120-7/catalogue"

    def test_same_version_is_not_fetched_again(self, live_server: LiveServer) -> None:
        rung = HttpVersioned(*live_server.serve_version("/v3/vast", "7", b"zip"))
        assert isinstance(get_versioned(rung, SOON, known=Known(package_version="7")), NotModified)
        assert isinstance(get_versioned(rung, SOON, known=Known(package_version="6")), Fetched)
        assert len(live_server.seen("/v3/vast/7/catalogue")) == 1

    @pytest.mark.parametrize("version", ["<!doctype html>", "", "../../secret", "7/8", "7?x", "..", "7..8", "x" * 101])
    def test_what_is_no_version_is_refused(self, live_server: LiveServer, version: str) -> None:
        version_url = live_server.serve("/version", answers.document(version.encode()))
        with pytest.raises(FetchError, match="is no version"):
            get_versioned(HttpVersioned(version_url, live_server.url + "/{version}/catalogue"), SOON)
        assert len(live_server.requests) == 1

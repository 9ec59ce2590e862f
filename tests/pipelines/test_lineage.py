"""A reader's way from a price on the frontier to the document it came from, clicked through in Dagster's own pages.

`PICTURES=docs/images uv run pytest -m slow tests/pipelines/test_lineage.py` takes the pictures of docs/lineage.md again.
"""

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from sources.transports import bronze

WAY = (
    ("marts.price_frontier", "cpm_usd_per_mtok"),
    ("core.llm_price_current", "usd_per_mtok"),
    ("core.llm_price", "usd_per_mtok"),
    ("raw.openrouter_price", "usd_per_mtok"),
    ("source.openrouter", "document"),
)
PATIENCE_MS = 90_000
LARGEST_PICTURE_BYTES = 200_000


@pytest.fixture
def page(browser, webserver: str):
    page = browser.new_page(base_url=webserver, viewport={"width": 1400, "height": 800})
    page.set_default_timeout(PATIENCE_MS)
    yield page
    page.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def take(page, file: Path) -> None:
    page.screenshot(path=file, animations="disabled")
    assert 10_000 < file.stat().st_size < LARGEST_PICTURE_BYTES


@pytest.mark.slow
def test_column_of_a_mart_leads_to_its_document(page, pictures: Path, refreshed: Path):
    page.goto("/assets/" + WAY[0][0].replace(".", "/"))
    for step, ((table, column), (origin, origin_column)) in enumerate(pairwise(WAY)):
        page.get_by_placeholder("Filter columns").fill(column)
        row = page.get_by_role("row").filter(has=page.get_by_text(column, exact=True))
        link = row.get_by_role("link", name=f"{origin} {origin_column}", exact=True)
        link.scroll_into_view_if_needed()
        if step == 0:
            take(page, pictures / "lineage_column.png")
        link.click()
        page.wait_for_url(re.compile(f"/assets/{origin.replace('.', '/')}([?]|$)"))
        assert table not in page.title()
    page.get_by_text("Latest check results").wait_for()  # the last part to be filled in
    (document,) = bronze.pointed(refreshed / "bronze", "openrouter")
    page.get_by_text(document.sha256[:12]).wait_for()
    take(page, pictures / "lineage_document.png")


@pytest.mark.slow
def test_graph_shows_what_a_mart_is_made_of(page, pictures: Path):
    page.goto("/assets/marts/price_frontier?view=lineage&lineageScope=upstream&lineageDepth=5")
    for name in ("litellm", "llm_price", "capability", "price_frontier"):
        page.get_by_text(name, exact=True).first.wait_for()
    page.wait_for_timeout(2_000)  # the graph moves into place
    take(page, pictures / "lineage_graph.png")

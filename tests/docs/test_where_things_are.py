"""The map of the project is one screen, and true."""

import re

from schemas.registry import ROOMS
from tests.refreshed import ROOT

PAGE = (ROOT / "docs" / "where_things_are.md").read_text()


def test_every_path_and_page_named_is_there() -> None:
    paths = re.findall(
        r"`((?:sources|schemas|economics|figures|warehouse|assets|answers|pipelines|iecon|tests)/[\w/.]*)`", PAGE
    )
    pages = re.findall(r"\]\((\w+\.md)\)", PAGE)
    assert len(paths) >= 15
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [page for page in pages if not (ROOT / "docs" / page).exists()] == []


def test_it_is_one_screen() -> None:
    assert len(PAGE.splitlines()) <= 45


def test_every_floor_has_its_rooms_by_the_same_names() -> None:
    for floor in ("schemas", "assets", "tests"):
        assert {room for room in ROOMS if not (ROOT / floor / room).is_dir()} == set()
    rooms = {folder.name for folder in (ROOT / "economics").iterdir() if (folder / "__init__.py").exists()}
    assert rooms == {*ROOMS, "numeric"}

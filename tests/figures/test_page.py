"""The page in a real browser: quiet, told by hover and keyboard, picked, linked, searched, sorted, saved."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from figures import FOLDER, PAGE
from figures.contents import SUBJECTS
from figures.exhibit import drawn, shown_first
from schemas.registry import TABLES
from warehouse.store import scan_table

pytestmark = pytest.mark.slow


def opened(browser: Any, folder: Path, link: str = "", **options: Any) -> Any:
    """The page with everything drawn, without network."""
    page = browser.new_context(offline=True, **options).new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto((folder / FOLDER / PAGE).as_uri() + link)
    page.locator("html[data-ready=all]").wait_for(state="attached", timeout=120_000)
    return page


@pytest.fixture(scope="module")
def page(browser: Any, refreshed: Path) -> Any:
    return opened(browser, refreshed, viewport={"width": 1280, "height": 900}, accept_downloads=True)


def box(page: Any, figure: str) -> Any:
    return page.locator(f"[data-figure={figure}]")


def count(page: Any, figure: str) -> str:
    return str(page.locator(f"#{figure} [data-part=count]").text_content())


def test_every_row_that_is_picked_has_a_mark(page, refreshed: Path):
    for subject in SUBJECTS:
        tables = {name: scan_table(refreshed / "tables", TABLES[name]) for name in subject.tables}
        rows = shown_first(drawn(subject, {name: table for name, table in tables.items() if table is not None}))
        if subject.name == "ledger":
            rows = rows.drop_nulls("claim")
        assert box(page, subject.name).get_attribute("data-drawn") == str(rows.height), subject.name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_said_on_the_console_and_nothing_asked_of_the_network(browser, refreshed: Path, width: int, scheme: str):
    page = opened(browser, refreshed, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.said == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    drawn = page.evaluate("[...document.querySelectorAll('[data-figure]')].map(box => Number(box.dataset.drawn))")
    assert len(drawn) == len(SUBJECTS)
    assert min(drawn) > 2
    assert page.evaluate("performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).length") == 0
    page.emulate_media(media="print")
    assert page.locator(".actions").first.is_hidden()
    assert page.locator(".stage svg").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.said == []


def test_a_page_without_scripts_shows_pictures(browser, refreshed: Path):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((refreshed / FOLDER / PAGE).as_uri())
    assert page.locator("noscript img").count() == len(SUBJECTS)
    assert page.locator("noscript img").first.is_visible()


def test_arrow_keys_walk_the_marks_and_each_is_told(page):
    chart = box(page, "price_frontier")
    chart.focus()
    for key in ("ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    told = page.locator("#price_frontier [data-part=live]").text_content()
    assert re.match(r"2 of \d+\. ", told)
    for part in ("blended price, $ per million tokens", "source", "date"):
        assert f"{part}: " in told
    assert page.locator("#price_frontier [data-part=tip]").is_visible()
    page.keyboard.press("End")
    place, last = re.match(r"(\d+) of (\d+)\.", page.locator("#price_frontier [data-part=live]").text_content()).groups()
    assert place == last == chart.get_attribute("data-drawn")
    page.keyboard.press("Escape")
    assert page.locator("#price_frontier [data-part=tip]").is_hidden()


def test_a_mark_is_told_under_the_pointer(page):
    stage = page.locator("#partition_map .stage svg")
    stage.scroll_into_view_if_needed()
    at = stage.bounding_box()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    tip = page.locator("#partition_map [data-part=tip]")
    tip.wait_for(timeout=5_000)
    for design in ("unchunked", "chunked", "disaggregated"):
        assert f"{design}, $ per million tokens: " in tip.text_content()
    assert "margin: " in tip.text_content()


def test_what_is_picked_is_in_the_link_and_comes_back_from_it(browser, refreshed: Path):
    first = opened(browser, refreshed)
    first.locator("#routing_premium-saved_unit").select_option("usd")
    first.locator("#price_frontier-log-y").uncheck()
    first.locator("#price_frontier-scale").select_option("aa_intelligence")
    before = box(first, "routing_premium").get_attribute("data-drawn")
    link = "#" + first.url.partition("#")[2]
    assert "routing_premium.saved_unit=usd" in link
    second = opened(browser, refreshed, link)
    assert second.locator("#routing_premium-saved_unit").input_value() == "usd"
    assert second.locator("#price_frontier-scale").input_value() == "aa_intelligence"
    assert not second.locator("#price_frontier-log-y").is_checked()
    assert box(second, "routing_premium").get_attribute("data-drawn") == before
    assert first.said == second.said == []


def test_rows_are_searched_sorted_and_saved(page, tmp_path: Path):
    section = page.locator("#ledger")
    everything = count(page, "ledger")
    section.locator("[data-part=find]").fill("not reproduced distserve")
    assert count(page, "ledger") != everything
    shown = int(count(page, "ledger").partition(" ")[0])
    assert shown == section.locator("tbody tr").count()
    section.locator("thead th button", has_text="document").first.click()
    names = section.locator("tbody tr td:nth-child(9)").all_text_contents()
    assert names == sorted(names)
    with page.expect_download() as saved:
        section.locator("[data-part=csv]").click()
    file = tmp_path / "ledger.csv"
    saved.value.save_as(file)
    rows = list(csv.DictReader(file.open(newline="")))
    assert len(rows) == shown
    assert {"verdict", "statement", "interval_low"} <= set(rows[0])
    section.locator("[data-part=find]").fill("")


def test_sql_is_copied_with_what_is_picked(browser, refreshed: Path, warehouse):
    page = opened(browser, refreshed, permissions=["clipboard-read", "clipboard-write"])
    page.locator("#routing_premium-saved_unit").select_option("usd")
    page.locator("#routing_premium [data-part=sql]").click()
    page.locator("#routing_premium [data-part=sql]", has_text="copied").wait_for()
    sql = page.evaluate("navigator.clipboard.readText()")
    assert "saved_unit = 'usd'" in sql
    page.locator("#routing_premium summary").click()
    assert f"{len(warehouse.sql(sql))} of " in count(page, "routing_premium")


def test_dollar_ratio_moves_arcs_from_training_to_samples(page):
    slider = page.locator("#inference_threshold-dollar_ratio")
    paths = "#inference_threshold .mark-symbol path[fill='#0072B2']"
    few = page.locator(paths).count()
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(500)
    assert page.locator(paths).count() > few


def test_contract_picker_shows_a_computed_cell_and_never_goes_beyond_the_grid(page):
    form = page.locator("[data-calculator=contract]")
    assert "per million output tokens" in form.locator(".answer").text_content()
    assert "iecon decide --model llama-3.1-70b --gpu h100-sxm --in 2000 --out 500" in form.locator("code").text_content()
    form.locator("[name=rate]").fill("5000")
    assert "Not computed: arrival rate per s 5,000 is outside" in form.locator(".answer").text_content()
    assert "--rate 5000" in form.locator("code").text_content()
    form.locator("[name=rate]").fill("16")


def test_price_at_a_mix_is_the_weighted_price_and_an_unknown_part_is_not_free(page, warehouse):
    provider, model, low, high = warehouse.sql(
        "SELECT provider, model, input_usd_per_mtok, output_usd_per_mtok FROM core.llm_price_wide "
        "WHERE price_window = 'always' AND cache_read_usd_per_mtok IS NULL AND output_usd_per_mtok > 1 "
        "AND input_usd_per_mtok IS NOT NULL ORDER BY model LIMIT 1"
    ).fetchall()[0]
    form = page.locator("[data-calculator=blend]")
    form.locator("[name=model]").fill(model)
    row = form.locator("tr", has_text=provider).first
    shown = float(row.locator("td").nth(1).text_content().removeprefix("$").replace(",", ""))
    assert shown == pytest.approx((3 * low + high) / 4, rel=0.006)
    form.locator("[name=cached]").fill("50")
    assert form.locator("tr", has_text=provider).first.locator("td").nth(1).text_content() == "\N{EN DASH}"
    assert "not known, not 0" in form.locator(".answer").text_content()


def test_correct_answers_at_a_volume(page):
    form = page.locator("[data-calculator=correct]")
    one = form.locator(".main").text_content()
    form.locator("[name=volume]").fill("2000")
    assert form.locator(".main").text_content() != one
    assert "2,000 correct answers" in form.locator(".main").text_content()

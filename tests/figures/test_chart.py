"""A chart is checked against its rows, drawn the same each time, and told in words that come from the rows."""

from io import BytesIO

import polars as pl
import pytest
from PIL import Image

from figures.chart import UnknownFieldError, alt, pictures, specification, svg_of
from figures.labels import spread
from figures.price_frontier import years_before
from figures.style import at, interval, known, looks, named_rows, names, number

PRICES = pl.DataFrame(
    {
        "model": ["a", "b", "c"],
        "usd": [0.5, 2.0, 8.0],
        "low": [0.4, None, 6.0],
        "high": [0.7, None, 9.0],
        "kind": ["x", "y", "x"],
    }
)
CHART = {
    "height": {"step": 20},
    "encoding": {"y": named_rows("model")},
    "layer": [
        at(1),
        interval("low", "high"),
        {"mark": {"type": "point"}, "encoding": {"x": number("usd", "$", log=True), **looks("kind", ["x", "y"])}},
    ],
}


def points(svg: str) -> int:
    (group,) = [part for part in svg.split("<g ") if "mark-symbol" in part.partition(">")[0] and "layer_2" in part]
    return group.count("<path")


def test_a_misspelt_field_is_an_error_that_names_the_nearest_column():
    wrong = {**CHART, "encoding": {"y": named_rows("modle")}}
    with pytest.raises(UnknownFieldError, match=r"modle, which its rows do not have; did you mean model\?"):
        svg_of(wrong, PRICES)
    with pytest.raises(UnknownFieldError, match="price"):
        svg_of({**CHART, "layer": [{"transform": [{"filter": known("price")}], **CHART["layer"][2]}]}, PRICES)


def test_every_row_has_its_mark():
    assert points(svg_of(CHART, PRICES)) == 3
    assert points(svg_of(CHART, PRICES.head(1))) == 1


def test_same_rows_make_the_same_bytes_and_few_colours():
    first, second = (pictures(specification(CHART, PRICES)) for _ in range(2))
    assert first == second
    assert Image.open(BytesIO(first[1])).mode == "P"


def test_words_hold_marks_ranges_and_what_colours_mean():
    told = alt(CHART, PRICES, of="Prices")
    assert told == (
        "Prices: 3 rows as bars of intervals, points; across $ (logarithmic, 0.5 to 8); upwards model (3 of them, such as a); "
        "colours tell apart x, y."
    )


def test_a_name_that_would_cover_another_is_left_out():
    crowd = pl.DataFrame({"x": [0.0, 1.0, 1.0], "y": [0.0, 1.0, 1.001], "name": ["far", "first", "second"], "all": [1, 1, 1]})
    found = spread(crowd, x="x", y="y", name="name", within=("all",), only=pl.lit(True))
    assert found["label"].to_list() == ["far", "first", None]
    assert ">first<" in svg_of({"height": 50, "layer": [names("label", x=number("x", "x"), y=number("y", "y"))]}, found)


def test_a_year_before_is_the_same_day_of_the_month():
    from datetime import date

    assert years_before(date(2026, 10, 31), 1) == date(2025, 10, 31)
    assert years_before(date(2026, 12, 29), 2) == date(2024, 12, 29)
    assert years_before(date(2028, 2, 29), 1) == date(2027, 2, 28)

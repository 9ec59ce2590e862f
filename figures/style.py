"""How every figure looks: colours told apart by the colour-blind and in grey, and the parts that charts are made of.

A chart is a Vega-Lite specification as a plain dict, without its data; `figures.chart` draws it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

Spec = dict[str, Any]

ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
"""The palette of Okabe and Ito (2008), chosen for every kind of colour vision; without black, which a dark page hides."""
GREY, PALE = "#808080", "#BDBDBD"
SERIES = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, GREY)
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 1], [1, 3])
"""Shape and dashes of each series: no two differ in colour alone."""
LIGHT = {"ink": "#222222", "quiet": "#5c5c5c", "line": "#e2e2e2", "ground": "#ffffff"}
PAGE = {name: f"var(--{name})" for name in LIGHT} | {"ground": "transparent"}
"""Colours of what is not data: in pictures, and in the page, whose style sheet knows light, dark and print."""
ROW = "_row"
"""Place of a row in its frame, which charts have beside its columns."""
FONT = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"


def config(colours: Mapping[str, str]) -> Spec:
    """Vega-Lite's settings for pictures (`LIGHT`) or the page (`PAGE`)."""
    ink, quiet, line, ground = (colours[name] for name in LIGHT)
    return {
        "background": ground,
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": ink,
            "titleColor": ink,
            "titleFontWeight": "normal",
            "gridColor": line,
            "domainColor": quiet,
            "tickColor": quiet,
            "labelFontSize": 11,
            "titleFontSize": 11,
        },
        "legend": {
            "orient": "top",
            "columns": 2,
            "labelColor": ink,
            "titleColor": ink,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "labelLimit": 260,
            "symbolStrokeWidth": 2,
        },
        "text": {"color": ink, "fontSize": 10},
        "rule": {"color": quiet},
        "point": {"filled": True, "size": 45, "opacity": 0.9},
        "line": {"strokeWidth": 1.8},
    }


def number(
    field: str, title: str, *, log: bool = False, dollars: bool = False, share: bool = False, zero: bool = False
) -> Spec:
    """An axis of numbers; `log` is where it starts, which the reader may change."""
    scale: Spec = {"type": "log"} if log else {"zero": zero}
    form = "$,~r" if dollars else ".0%" if share else ",~r"
    axis: Spec = {"format": form, "tickCount": 6} if not log else {"format": form, "labelOverlap": True, "tickCount": 8}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": axis}


def day_axis(field: str, title: str | None = None) -> Spec:
    """An axis of days, in UTC, so that none moves with the reader's clock."""
    return {"field": field, "type": "temporal", "title": title, "scale": {"type": "utc"}, "axis": {"labelOverlap": True}}


def named_rows(field: str, *, sort: Any = None) -> Spec:
    """Rows that each carry their name, in the order of the frame or as `sort` says.

    Names are cut by whoever writes them: to measure where a name must be cut takes longer than the rest of the picture.
    """
    order = sort or {"field": ROW, "op": "min"}
    return {"field": field, "type": "nominal", "title": None, "sort": order, "axis": {"labelLimit": 0, "grid": True}}


def any_looks(field: str) -> Spec:
    """Colours and dashes for as many series as there turn out to be."""
    told: Spec = {"field": field, "type": "nominal", "title": None}
    return {
        "color": told | {"scale": {"range": list(SERIES)}},
        "strokeDash": told | {"scale": {"range": list(DASHES)}, "legend": None},
    }


def looks(field: str, known: Mapping[str, str] | Iterable[str], *, of: Literal["point", "line"] = "point") -> Spec:
    """Encodings that tell series apart: a colour, and a shape or dashes. `known`: colour by value, or values in order."""
    colours = dict(known) if isinstance(known, Mapping) else dict(zip(known, SERIES * 9, strict=False))
    domain, place = list(colours), range(len(colours))
    told: Spec = {"field": field, "type": "nominal", "title": None}
    found: Spec = {"color": told | {"scale": {"domain": domain, "range": list(colours.values())}}}
    if of == "point":
        found["shape"] = told | {"scale": {"domain": domain, "range": [SHAPES[at % len(SHAPES)] for at in place]}}
    elif of == "line":
        found["strokeDash"] = told | {"scale": {"domain": domain, "range": [DASHES[at % len(DASHES)] for at in place]}}
    return found


def interval(low: str, high: str, *, along: Literal["x", "y"] = "x", **encoding: Any) -> Spec:
    """A layer of bars from the lower to the upper end of an interval."""
    return {
        "mark": {"type": "rule", "strokeWidth": 1.2},
        "encoding": {along: {"field": low, "type": "quantitative"}, f"{along}2": {"field": high}, **encoding},
    }


def at(value: float, *, along: Literal["x", "y"] = "x") -> Spec:
    """A layer with one line across, such as where nothing is saved."""
    other = "y" if along == "x" else "x"
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "strokeWidth": 1.2},
        "encoding": {along: {"datum": value, "type": "quantitative"}, other: None},
    }


def known(field: str) -> Spec:
    """The rows where a column is not NULL, as a filter. (Vega-Lite's own `valid` wants a number.)"""
    return {"not": {"field": field, "equal": None}}


def names(field: str, *, below: bool = True, **encoding: Any) -> Spec:
    """A layer of names beside points, where the column has one."""
    return {
        "transform": [{"filter": known(field)}],
        "mark": {"type": "text", "align": "left", "dx": 6, "dy": 9 if below else -7},
        "encoding": {**encoding, "text": {"field": field, "type": "nominal"}},
    }


def stale_marks(**encoding: Any) -> Spec:
    """A layer of crosses over marks whose evidence is stale (column `is_stale`)."""
    return {
        "transform": [{"filter": {"field": "is_stale", "equal": True}}],
        "mark": {"type": "point", "shape": "M-1,-1L1,1M-1,1L1,-1", "size": 70, "filled": False, "color": VERMILLION},
        "encoding": encoding,
    }

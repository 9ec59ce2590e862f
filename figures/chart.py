"""From a specification and a frame to pictures: fields checked against columns, SVG, PNG of few colours, and words."""

from collections.abc import Iterator
from difflib import get_close_matches
from importlib.metadata import version
from io import BytesIO
from typing import Any

import msgspec
import polars as pl
import vl_convert
from PIL import Image

from figures.exhibit import span
from figures.style import LIGHT, ROW, Spec, config

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH = 680
"""Pixels of a picture; in the page a chart is as wide as there is room."""
PNG_SCALE = 1.5
COLOURS = 64


class UnknownFieldError(ValueError):
    """A chart asks for a column that its frame does not have. Vega-Lite would draw an empty picture."""


def checked(chart: Spec, frame: pl.DataFrame) -> Spec:
    """The chart itself. Raises UnknownFieldError for a field that is no column of the frame, with the nearest that is."""
    for field in _named(chart, "field"):
        if field not in frame.columns and field != ROW:
            near = get_close_matches(field, frame.columns, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(frame.columns)}"
            raise UnknownFieldError(f"the chart asks for {field}, which its rows do not have{hint}")
    return chart


def fields(chart: Spec, frame: pl.DataFrame) -> list[str]:
    """The columns a chart reads."""
    asked = set(_named(chart, "field"))
    return [name for name in frame.columns if name in asked]


def specification(chart: Spec, frame: pl.DataFrame, *, width: int = WIDTH) -> bytes:
    """A chart with its rows and settings as JSON: all that a picture depends on. Raises UnknownFieldError as `checked` does."""
    asked = fields(checked(chart, frame), frame)
    values = frame.select(asked).with_columns(pl.selectors.temporal().cast(pl.String)).with_row_index(ROW).to_dicts()
    whole = {"$schema": SCHEMA, "width": width, "data": {"values": values}, **chart, "config": {**config(LIGHT), "aria": False}}
    return msgspec.json.encode(whole)


def svg_of(chart: Spec, frame: pl.DataFrame) -> str:
    """A chart over the rows of a frame as SVG. Raises UnknownFieldError as `checked` does."""
    return str(vl_convert.vegalite_to_svg(specification(chart, frame).decode()))


def pictures(whole: bytes) -> tuple[bytes, bytes]:
    """SVG and PNG of a `specification`: the same bytes for the same one."""
    svg = str(vl_convert.vegalite_to_svg(whole.decode()))
    found = vl_convert.svg_to_png(svg, scale=PNG_SCALE)
    # An octree keeps a colour that few points have; a median cut would lose it.
    image = Image.open(BytesIO(found)).convert("RGB")
    small = image.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    png = BytesIO()
    small.save(png, format="png")
    return svg.encode(), png.getvalue()


def bundle() -> str:
    """The scripts that draw charts in a page, as `vegaEmbed`. Making them takes a second: keep them by `bundle_version`."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def bundle_version() -> str:
    """What the bundle is of; another version makes another."""
    return f"vega-{vl_convert.get_vega_version()}-{version('vl-convert-python')}"


def alt(chart: Spec, frame: pl.DataFrame, *, of: str) -> str:
    """What is drawn, for a reader who does not see it: the marks, both axes with their ranges, what colours tell apart."""
    encodings = list(_encodings(chart))
    told = [f"{of}: {frame.height:,} {'row' if frame.height == 1 else 'rows'} as {_marks(chart)}"]
    for channel, way in (("x", "across"), ("y", "upwards")):
        named = [one[channel] for one in encodings if "field" in (one.get(channel) or {})]
        named = [one for one in named if one.get("title")] or named
        if named:
            told.append(f"{way} {_axis(named[0], frame, [one['field'] for one in named])}")
    colours = next((one["color"] for one in encodings if "field" in (one.get("color") or {})), None)
    if colours is not None:
        values = frame[colours["field"]].drop_nulls().unique(maintain_order=True).cast(pl.String).to_list()
        told.append(f"colours tell apart {', '.join(values[:8])}{' and others' if len(values) > 8 else ''}")
    return "; ".join(told) + "."


def _axis(encoding: Spec, frame: pl.DataFrame, asked: list[str]) -> str:
    title = str(encoding.get("title") or encoding["field"].replace("_", " "))
    columns = [frame[name].drop_nulls() for name in asked if name in frame.columns]
    known = pl.concat(
        [column.cast(pl.Float64) for column in columns if column.dtype.is_numeric()] or [pl.Series([], dtype=pl.Float64)]
    )
    if encoding["type"] == "quantitative" and known.len():
        form = "logarithmic, " if encoding.get("scale", {}).get("type") == "log" else ""
        low, high = span(known)
        return f"{title} ({form}{low:,.3g} to {high:,.3g})"
    first = frame[encoding["field"]].drop_nulls()
    if first.is_empty():
        return title
    if encoding["type"] == "temporal":
        return f"{title if encoding.get('title') else 'days'} ({first.min()!s} to {first.max()!s})"
    return f"{title} ({first.n_unique()} of them, such as {first[0]})"


def _marks(chart: Spec) -> str:
    kinds = {"point": "points", "rule": "bars of intervals", "line": "lines", "rect": "cells", "bar": "bars", "text": "names"}
    return ", ".join(dict.fromkeys(kinds.get(kind, kind) for kind in _mark_types(chart)))


def _mark_types(chart: Spec) -> Iterator[str]:
    if "mark" in chart:
        yield chart["mark"]["type"] if isinstance(chart["mark"], dict) else chart["mark"]
    for layer in chart.get("layer", ()):
        yield from _mark_types(layer)


def _encodings(chart: Spec) -> Iterator[Spec]:
    if "encoding" in chart:
        yield chart["encoding"]
    for layer in chart.get("layer", ()):
        yield from _encodings(layer)


def _named(part: Any, key: str) -> Iterator[str]:
    """All strings that stand under a key, anywhere in a specification."""
    if isinstance(part, dict):
        for name, inner in part.items():
            if name == key and isinstance(inner, str):
                yield inner
            else:
                yield from _named(inner, key)
    elif isinstance(part, list):
        for inner in part:
            yield from _named(inner, key)

"""How every figure looks: colours told apart by the colour-blind and in grey, one type size, and the picture formats."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from PIL import Image

from figures.renderer import POINTS_PER_INCH, PairCanvas

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
"""The palette of Okabe and Ito (2008), chosen for every kind of colour vision."""
INK, GREY, PALE = "#222222", "#767676", "#D9D9D9"
SERIES = (
    (BLUE, "o", "-"),
    (VERMILLION, "s", "--"),
    (GREEN, "^", "-."),
    (ORANGE, "D", ":"),
    (PURPLE, "v", (0, (5, 1))),
    (SKY, "P", (0, (3, 1, 1, 1))),
    (BLACK, "X", (0, (1, 1))),
)
"""Colour, marker and line of each series: no two differ in colour alone."""
WIDTH_INCHES = 9.0
PNG_DPI = 120

_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Helvetica Neue", "Segoe UI", "Arial"],
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # where they would be moved to: nothing stands above the axes, which need not be measured for it
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#ECECEC",
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "hatch.linewidth": 0.6,
    "figure.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "inference-economics",
}


@contextmanager
def house_style() -> Iterator[None]:
    """The settings under which figures are drawn and saved; others' settings come back afterwards."""
    with mpl.rc_context(_SETTINGS):
        yield


def sheet(height_inches: float) -> Figure:
    """An empty figure as wide as the page; its parts are laid out so that no label is cut."""
    figure = Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained", dpi=POINTS_PER_INCH)
    PairCanvas(figure, dots_per_inch=PNG_DPI)
    return figure


def pictures(figure: Figure) -> tuple[bytes, bytes]:
    """A figure on a sheet as SVG, and as PNG of 256 colours: the same bytes for the same numbers. It can be drawn once."""
    assert isinstance(figure.canvas, PairCanvas)
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    svg, pixels = renderer.result()
    # An octree keeps a colour that few points have; a median cut would lose it.
    image = Image.fromarray(pixels).convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    png = BytesIO()
    image.save(png, format="png")
    return svg.encode(), png.getvalue()


def log_axis(axes: Axes, which: str, ticks: Sequence[float], form: str = "{:g}") -> None:
    """A logarithmic axis with plain numbers at the given ticks, and no others."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: form.format(value)))


def label_points(axes: Axes, points: Iterable[tuple[float, float, str]], *, right: bool) -> None:
    """Name points beside them, right and below or left and above; a name that would cover an earlier one is left out.

    `points` are x, y and name, in the order of their worth. The limits of the axes must be set.
    """
    kept: list[tuple[float, float]] = []
    offset, across, up = ((5, -3), "left", "top") if right else ((-4, 3), "right", "bottom")
    for x, y, name in points:
        at_x, at_y = axes.transLimits.transform(axes.transScale.transform((x, y)))
        if all(abs(at_y - y_kept) > 0.04 or abs(at_x - x_kept) > 0.45 for x_kept, y_kept in kept):
            kept.append((at_x, at_y))
            axes.annotate(name, (x, y), xytext=offset, textcoords="offset points", fontsize=7.5, ha=across, va=up)


def decades(low: float, high: float, steps: Sequence[float] = (1.0,)) -> list[float]:
    """Ticks for a logarithmic axis from low to high: each decade times each of `steps`."""
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    ticks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    return [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]

"""One walk over a figure gives what matplotlib draws in two."""

import re
from io import BytesIO

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from PIL import Image

from figures.style import BLUE, ORANGE, PNG_DPI, WIDTH_INCHES, house_style, pictures, sheet

HEIGHT_INCHES = 3.0


def drawn(figure: Figure) -> Figure:
    """Everything that a figure of the report has: dashes, marks, hatches, text turned, clipped and with a formula."""
    left, right = figure.subplots(1, 2)
    left.plot([0, 1, 2], [1, 3, 2], "--", marker="o", linewidth=3, color=BLUE, label="dashed")
    left.errorbar([0.5, 1.5], [1, 1], yerr=[0.2, 0.4], fmt="s", capsize=3, color=ORANGE, label="bars")
    left.text(0.1, 2, "turned", rotation=40)
    left.set_title("two\nlines")
    left.legend(loc="upper left")
    right.bar([0, 1], [1, 2], hatch="///", color=BLUE, edgecolor="white")
    right.scatter([0, 1, 2], [1.5, 0.5, 1], s=[20, 60, 200], facecolor=ORANGE, alpha=0.5, linestyle=":")
    right.plot([0, 2], [0, 2], linewidth=9, color=ORANGE, clip_path=(Circle((1, 1), 0.5, transform=right.transData)))
    right.set_xlabel("a formula, $x^2$")
    right.set_ylabel("upright")
    right.text(1.95, 1.9, "cut by the axes", clip_on=True)
    return figure


@pytest.fixture
def ours() -> tuple[bytes, bytes]:
    with house_style():
        return pictures(drawn(sheet(HEIGHT_INCHES)))


@pytest.fixture
def theirs() -> Figure:
    with house_style():
        return drawn(Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), layout="constrained", dpi=PNG_DPI))


def test_pixels_are_those_of_matplotlib(ours: tuple[bytes, bytes], theirs: Figure):
    canvas = FigureCanvasAgg(theirs)
    with house_style(), rc_context({"text.hinting": "none"}):
        canvas.draw()
    expected = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    painted = np.asarray(Image.open(BytesIO(ours[1])).convert("RGB")).astype(int)
    assert painted.shape == expected.shape
    # Letters and lines may stand a fraction of a pixel apart, so squares of a letter's size are compared, by colour.
    squares = (painted - expected).reshape(30, 12, 90, 12, 3).mean(axis=(1, 3))
    assert np.abs(squares).max() < 25


def test_svg_has_the_elements_of_matplotlib(ours: tuple[bytes, bytes], theirs: Figure):
    expected = BytesIO()
    with house_style():
        theirs.savefig(expected, format="svg", metadata={"Date": None, "Creator": None})
    written, reference = ours[0].decode(), expected.getvalue().decode()
    assert re.findall(r"<[/\w]+", written) == re.findall(r"<[/\w]+", reference)
    assert re.findall(r'style="[^"]*"', written) == re.findall(r'style="[^"]*"', reference)


def test_image_is_refused_rather_than_left_out():
    with house_style():
        figure = sheet(HEIGHT_INCHES)
        figure.subplots().imshow([[0, 1]])
        with pytest.raises(NotImplementedError):
            pictures(figure)

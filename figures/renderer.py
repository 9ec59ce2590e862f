"""A figure as SVG and as pixels from one walk over it, where matplotlib measures and draws it anew for each.

Letters are measured and painted from fonts held in memory: matplotlib reads each one from its file, every time.
"""

from functools import cache
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.backend_bases import FigureCanvasBase, GraphicsContextBase, RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform, TransformedPath

POINTS_PER_INCH = 72
FRACTIONS = 64
"""Of a pixel, in which FreeType states lengths."""


class PairRenderer(RendererBase):
    """Passes every part of a figure, in points, to an SVG and to pixels. An image is refused: no figure has one."""

    def __init__(self, figure: Figure, *, dots_per_inch: float):
        super().__init__()
        width, height = (float(inches) * POINTS_PER_INCH for inches in figure.get_size_inches())
        zoom = dots_per_inch / POINTS_PER_INCH
        self._zoom, self._to_pixels = zoom, Affine2D().scale(zoom)
        self._text = StringIO()
        undated = {"Date": None, "Creator": None}
        self._svg: Any = RendererSVG(width, height, self._text, metadata=undated)  # type: ignore[no-untyped-call]
        self._pixels: Any = RendererAgg(int(width * zoom), int(height * zoom), dots_per_inch)  # type: ignore[no-untyped-call]

    def result(self) -> tuple[str, np.ndarray[Any, np.dtype[np.uint8]]]:
        """The SVG, and the pixels as rows of red, green, blue and opacity from the top. To be asked once, at the end."""
        self._svg.finalize()
        return self._text.getvalue(), np.asarray(self._pixels.buffer_rgba())

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self._svg.width, self._svg.height

    def open_group(self, s: str, gid: str | None = None) -> None:
        self._svg.open_group(s, gid)

    def close_group(self, s: str) -> None:
        self._svg.close_group(s)

    def draw_path(self, gc: GraphicsContextBase, path: Outline, transform: Transform, rgbFace: Any = None) -> None:  # noqa: N803
        self._svg.draw_path(gc, path, transform, rgbFace)
        self._pixels.draw_path(self._zoomed(gc), path, transform + self._to_pixels, rgbFace)

    def draw_markers(
        self,
        gc: GraphicsContextBase,
        marker_path: Outline,
        marker_trans: Transform,
        path: Outline,
        trans: Transform,
        rgbFace: Any = None,  # noqa: N803
    ) -> None:
        self._svg.draw_markers(gc, marker_path, marker_trans, path, trans, rgbFace)
        self._pixels.draw_markers(
            self._zoomed(gc), marker_path, marker_trans + self._to_pixels, path, trans + self._to_pixels, rgbFace
        )

    def draw_path_collection(
        self,
        gc: GraphicsContextBase,
        master_transform: Transform,
        paths: Any,
        all_transforms: Any,
        offsets: Any,
        offset_trans: Transform,
        *looks: Any,
        **more_looks: Any,
    ) -> None:
        self._svg.draw_path_collection(gc, master_transform, paths, all_transforms, offsets, offset_trans, *looks, **more_looks)
        self._pixels.draw_path_collection(
            self._zoomed(gc),
            (master_transform + self._to_pixels).frozen(),
            paths,
            all_transforms,
            offsets,
            (offset_trans + self._to_pixels).frozen(),
            *looks,
            **more_looks,
        )

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: bool | Literal["TeX"] = False,
        mtext: Text | None = None,
    ) -> None:
        self._svg.draw_text(gc, x, y, s, prop, angle, ismath, mtext)
        x, y = x * self._zoom, y * self._zoom
        if ismath:
            self._pixels.draw_text(self._zoomed(gc), x, y, s, prop, angle, ismath, mtext)
            return
        font = _set(s, prop, self._pixels.dpi, angle)
        font.draw_glyphs_to_bitmap(antialiased=True)
        opacity = font.get_image()
        image = np.empty((*opacity.shape, 4), np.uint8)
        image[..., :3] = np.round(np.multiply(gc.get_rgb()[:3], 255))
        image[..., 3] = opacity[::-1]  # rows from below
        left = x + font.get_bitmap_offset()[0] / FRACTIONS
        bottom = self._pixels.height - y - font.get_descent() / FRACTIONS
        self._pixels.draw_image(self._zoomed(gc), round(left), round(bottom), image)

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: bool | Literal["TeX"]
    ) -> tuple[float, float, float]:
        if ismath:
            return super().get_text_width_height_descent(s, prop, ismath)
        font = _set(s, prop, POINTS_PER_INCH, 0)
        width, height = font.get_width_height()
        return width / FRACTIONS, height / FRACTIONS, font.get_descent() / FRACTIONS

    def _zoomed(self, gc: GraphicsContextBase) -> GraphicsContextBase:
        """Colours and lines for the pixels: widths and dashes stay in points, but what clips them is placed in pixels."""
        zoomed = GraphicsContextBase()
        zoomed.copy_properties(gc)
        box, (outline, placed) = gc.get_clip_rectangle(), gc.get_clip_path()
        if box is not None:
            zoomed.set_clip_rectangle(box.transformed(self._to_pixels))
        if outline is not None and placed is not None:
            zoomed.set_clip_path(TransformedPath(outline, placed + self._to_pixels))  # type: ignore[arg-type]
        return zoomed


class PairCanvas(FigureCanvasBase):
    """Has a figure laid out by the renderer that will draw it, so that a text is measured once."""

    def __init__(self, figure: Figure, *, dots_per_inch: float):
        super().__init__(figure)
        self._renderer = PairRenderer(figure, dots_per_inch=dots_per_inch)

    def get_renderer(self) -> PairRenderer:
        return self._renderer


def _set(text: str, look: FontProperties, dots_per_inch: float, angle: float) -> FT2Font:
    """The font of a text with its letters in place, turned by `angle` degrees."""
    font = _font(findfont(look))
    font.set_size(look.get_size_in_points(), dots_per_inch)
    font.set_text(text, angle, flags=LoadFlags.NO_HINTING)
    return font


@cache
def _font(file: str) -> FT2Font:
    return FT2Font(BytesIO(Path(file).read_bytes()))

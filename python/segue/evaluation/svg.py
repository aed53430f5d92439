"""A few shapes of SVG: enough for three kinds of pictures, and nothing to install."""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Sequence
from html import escape
from typing import Union

from .._errors import IoError

TEXT, QUIET, GRID = "#1a1a1a", "#5b6270", "#e5e7eb"
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
LETTER = 0.62  # the mean width of a letter, in sizes of the font, on the safe side


class Picture:
    """A drawing as SVG: a notebook shows it, `save` writes it, `svg` is its text.

    Attributes:
        svg: The whole drawing.
        width: In pixels.
        height: In pixels.

    Example:
        >>> import segue
        >>> found = segue.evaluate([[1, 2], [3, 4]], [[1], [4]], k=2)
        >>> segue.compare(found, found).draw_recall().svg[:4]
        '<svg'
    """

    def __init__(self, svg: str, width: int, height: int) -> None:
        self.svg, self.width, self.height = svg, width, height

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes the drawing as a file of SVG.

        Args:
            path: Of the file.

        Raises:
            IoError: The operating system refused.

        Example:
            >>> import os, segue, tempfile
            >>> found = segue.evaluate([[1, 2], [3, 4]], [[1], [4]], k=2)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     segue.compare(found, found).draw_recall().save(os.path.join(folder, "recall.svg"))
        """
        write_text(path, self.svg)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Picture({self.width} x {self.height})"


Picture.__module__ = "segue"


def write_text(path: Union[str, os.PathLike[str]], text: str) -> None:
    try:
        pathlib.Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise IoError(f"{path} cannot be written: {error.strerror or error}") from None


class Canvas:
    """Collects shapes; positions are pixels from the left and the top."""

    def __init__(self, width: int, height: int, title: str, subtitle: str) -> None:
        self.width, self.height, self._title = width, height, title
        self._shapes: list[str] = []
        self.text(24, 34, title, size=17, weight=700)
        self.text(24, 56, subtitle, size=13, colour=QUIET)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 12.5,
        colour: str = TEXT,
        weight: int = 400,
        at: str = "start",
    ) -> None:
        self._shapes.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" font-weight="{weight}" '
            f'text-anchor="{at}">{escape(words)}</text>'
        )

    def line(
        self, x1: float, y1: float, x2: float, y2: float, *, colour: str = GRID, width: float = 1, dashes: str = ""
    ) -> None:
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._shapes.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}" '
            f'stroke-linecap="round"{dashed}/>'
        )

    def bar(self, x: float, y: float, width: float, height: float, colour: str, hint: str = "") -> None:
        title = f"<title>{escape(hint)}</title>" if hint else ""
        self._shapes.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(0, height):.1f}" rx="1.5" '
            f'fill="{colour}">{title}</rect>'
        )

    def curve(self, points: Sequence[tuple[float, float]], colour: str, width: float = 2.6) -> None:
        self._shapes.append(
            f'<polyline points="{_points(points)}" fill="none" stroke="{colour}" stroke-width="{width}" '
            'stroke-linejoin="round" stroke-linecap="round"/>'
        )

    def area(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        self._shapes.append(f'<polygon points="{_points(points)}" fill="{colour}" fill-opacity="0.16"/>')

    def dot(self, x: float, y: float, colour: str, *, radius: float = 5, hollow: bool = False, hint: str = "") -> None:
        fill, edge = ("#fff", colour) if hollow else (colour, "#fff")
        title = f"<title>{escape(hint)}</title>" if hint else ""
        self._shapes.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{edge}" stroke-width="1.6">'
            f"{title}</circle>"
        )

    def picture(self) -> Picture:
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" role="img" aria-label="{escape(self._title)}" font-family="{FONT}" '
            'style="max-width: 100%; height: auto">'
            f'<rect width="{self.width}" height="{self.height}" rx="6" fill="#fff"/>{"".join(self._shapes)}</svg>'
        )
        return Picture(svg, self.width, self.height)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers of steps 1, 2 or 5 times a power of ten, within low and high."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
    first = math.ceil(low / step - 1e-9)
    return [(first + i) * step for i in range(int((high - first * step) / step + 1e-9) + 1)]


def apart(places: Sequence[float], room: float) -> list[float]:
    """The places, moved as little as it takes to be `room` apart, in their order."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    for _ in range(100):
        for i, j in zip(order, order[1:]):
            gap = room - (moved[j] - moved[i])
            if gap > 1e-6:
                moved[i] -= gap / 2
                moved[j] += gap / 2
    return moved


def shorten(words: str, letters: int) -> str:
    return words if len(words) <= letters else words[: letters - 1].rstrip() + "…"

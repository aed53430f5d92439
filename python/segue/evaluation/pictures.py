"""Three pictures of two generators: recall by depth, exposure by popularity, differences a group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .bootstrap import Floats
from .svg import LETTER, QUIET, TEXT, Canvas, Picture, apart, shorten, ticks

if TYPE_CHECKING:
    from .differences import Difference

WIDTH = 760
FIRST, SECOND = "#8a6d3b", "#0057d9"  # told apart by whoever sees no red or no green, and in print by their darkness
GAIN, LOSS, OPEN = "#0057d9", "#c2410c", "#8b93a1"
_TOP, _LEFT, _BOTTOM = 84, 66, 52


def draw_recall(curves: Sequence[np.recarray[Any, Any]], names: Sequence[str], confidence: float) -> Picture:
    deepest = int(curves[0].k[-1])
    canvas = Canvas(
        WIDTH, 400, "Recall by depth of the list", f"mean over lists; bands are intervals of {confidence * 100:g} %"
    )
    room = max(len(shorten(name, 20)) for name in names) * 13 * LETTER + 74
    left, right, top, bottom = _LEFT, WIDTH - room, _TOP, 400 - _BOTTOM
    highest = max(float(np.nanmax(np.r_[c.recall, c.high, 1e-9])) for c in curves) * 1.04

    def x(k: float) -> float:
        return left + (right - left) * (math.log(k) / math.log(deepest) if deepest > 1 else 0.5)

    def y(recall: float) -> float:
        return bottom - (bottom - top) * recall / highest

    for value in ticks(0, highest):
        canvas.line(left, y(value), right, y(value))
        canvas.text(left - 10, y(value) + 4, f"{value:g}", colour=QUIET, at="end")
    marks = [m * 10**e for e in range(7) for m in (1, 2, 5) if m * 10**e <= deepest]
    if deepest not in marks:
        marks = [m for m in marks if x(m) < x(deepest) - 28] + [deepest]
    for k in marks:
        canvas.text(x(k), bottom + 20, f"{k}", colour=QUIET, at="middle")
    canvas.text((left + right) / 2, 400 - 12, "places of the list", colour=QUIET, at="middle")
    ends = []
    for curve, colour in zip(curves, (FIRST, SECOND)):
        at = [(x(int(p.k)), p) for p in curve if not math.isnan(p.recall)]
        banded = [(px, p) for px, p in at if not math.isnan(p.low)]
        if banded:
            canvas.area([(px, y(p.high)) for px, p in banded] + [(px, y(p.low)) for px, p in reversed(banded)], colour)
        canvas.curve([(px, y(p.recall)) for px, p in at], colour)
        if len(at) == 1:
            canvas.dot(at[0][0], y(at[0][1].recall), colour)
        ends.append((y(at[-1][1].recall), at[-1][1].recall) if at else (bottom, math.nan))
    for (_, recall), place, name, colour in zip(ends, apart([e[0] for e in ends], 19), names, (FIRST, SECOND)):
        words = shorten(name, 20) + ("" if math.isnan(recall) else f" {recall:.3f}")
        canvas.text(right + 12, place + 4, words, size=13, colour=colour, weight=600)
    return canvas.picture()


def draw_tenths(tenths: Sequence[Floats], names: Sequence[str]) -> Picture:
    canvas = Canvas(
        WIDTH,
        400,
        "What is shown, from popular to rare",
        "share of all places of lists that goes to each tenth of what people took (dashed: in proportion)",
    )
    left, right, top, bottom = _LEFT, WIDTH - 24, _TOP + 16, 400 - 64
    highest = max(0.12, *(float(of.max()) for of in tenths)) * 1.06
    slot = (right - left) / 11

    def y(share: float) -> float:
        return bottom - (bottom - top) * share / highest

    for value in ticks(0, highest):
        canvas.line(left, y(value), right, y(value))
        canvas.text(left - 10, y(value) + 4, f"{value * 100:g} %", colour=QUIET, at="end")
    for i in range(11):
        begin = left + slot * i
        words = "never taken" if i == 10 else f"{i + 1}"
        for j, (of, colour) in enumerate(zip(tenths, (FIRST, SECOND))):
            share = float(of[i])
            canvas.bar(begin + slot * (0.14 + 0.36 * j), y(share), slot * 0.34, bottom - y(share), colour,
                       f"{names[j]}: {share * 100:.1f} %")  # fmt: skip
        canvas.text(begin + slot / 2, bottom + 20, words, colour=QUIET, at="middle", size=12 if i < 10 else 11)
    canvas.text(left + slot * 0.14, bottom + 42, "most popular", colour=QUIET)
    canvas.text(left + slot * 9.86, bottom + 42, "rarest", colour=QUIET, at="end")
    canvas.line(left, y(0.1), left + slot * 10, y(0.1), colour=TEXT, width=1.3, dashes="5 4")
    _legend(canvas, right, 34, names)
    return canvas.picture()


def draw_groups(
    rows: Sequence[tuple[str, Difference]], measure: str, names: Sequence[str], confidence: float
) -> Picture:
    height = _TOP + 30 * len(rows) + _BOTTOM
    canvas = Canvas(
        WIDTH, height, f"{measure}: {names[1]} minus {names[0]}",
        f"mean difference over lists; whiskers are intervals of {confidence * 100:g} %; hollow: the interval holds 0",
    )  # fmt: skip
    left = 40 + min(220, max(len(shorten(label, 28)) for label, _ in rows) * 13 * LETTER)
    right, bottom = WIDTH - 150, _TOP + 30 * len(rows)
    ends = [v for _, of in rows for v in (of.low, of.high, of.difference) if not math.isnan(v)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    margin = (high - low) * 0.05 or 1e-3
    low, high = low - margin, high + margin

    def x(value: float) -> float:
        return left + (right - left) * (value - low) / (high - low)

    for value in ticks(low, high, 6):
        canvas.line(x(value), _TOP - 8, x(value), bottom)
        words = "0" if abs(value) < 1e-12 else f"{value:+g}"
        canvas.text(x(value), bottom + 20, words, colour=QUIET, at="middle")
    canvas.line(x(0), _TOP - 8, x(0), bottom, colour="#4b5563", width=1.4)
    for i, (label, of) in enumerate(rows):
        place, strong = _TOP + 30 * i + 11, i == 0 and len(rows) > 1
        canvas.text(24, place + 4, shorten(label, 28), size=13, weight=700 if strong else 400)
        if math.isnan(of.difference):
            canvas.text(right + 20, place + 4, "nobody", colour=QUIET)
            continue
        sure = not math.isnan(of.low) and not of.low <= 0 <= of.high
        colour = OPEN if not sure else GAIN if of.difference > 0 else LOSS
        if not math.isnan(of.low):
            canvas.line(x(of.low), place, x(of.high), place, colour=colour, width=3.4 if strong else 2.2)
        canvas.dot(x(of.difference), place, colour, radius=6.5 if strong else 5, hollow=not sure)
        canvas.text(right + 84, place + 4, f"{of.difference:+.4f}", weight=700 if strong else 500, at="end", size=13)
        canvas.text(WIDTH - 20, place + 4, f"{of.lists:,}", colour=QUIET, at="end")
        if strong:
            canvas.line(24, place + 15, WIDTH - 20, place + 15, colour="#c9ced6")
    canvas.text(right + 84, bottom + 20, "difference", colour=QUIET, at="end", size=11.5)
    canvas.text(WIDTH - 20, bottom + 20, "lists", colour=QUIET, at="end", size=11.5)
    return canvas.picture()


def _legend(canvas: Canvas, right: float, y: float, names: Sequence[str]) -> None:
    x = right
    for name, colour in reversed(list(zip(names, (FIRST, SECOND)))):
        words = shorten(name, 24)
        x -= len(words) * 13 * LETTER
        canvas.text(x, y, words, size=13, colour=colour, weight=600)
        x -= 18
        canvas.bar(x, y - 10, 12, 12, colour)
        x -= 20

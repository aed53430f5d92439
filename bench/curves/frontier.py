"""From a cloud of (recall, queries/s) to what a library offers: its frontier, and what lies between its points."""

from __future__ import annotations

import math
from collections.abc import Iterable

Point = tuple[float, float]  # recall, queries a second


def frontier(points: Iterable[Point]) -> list[Point]:
    """Those that no other beats in both, by rising recall and so by falling speed."""
    kept: list[Point] = []
    for recall, speed in sorted(points, key=lambda p: (-p[0], -p[1])):
        if not kept or speed > kept[-1][1]:
            kept.append((recall, speed))
    return kept[::-1]


def speed_at(points: Iterable[Point], recall: float) -> float | None:
    """Queries a second at a recall: between two points of the frontier the logarithm of the speed is taken as linear.

    Below the first point its speed holds, as whoever asks for less may use it. None where no point gets there.
    """
    line = frontier(points)
    above = next((i for i, point in enumerate(line) if point[0] >= recall), None)
    if above is None:
        return None
    if above == 0:
        return line[0][1]
    (low, fast), (high, slow) = line[above - 1], line[above]
    share = (recall - low) / (high - low)
    return math.exp((1 - share) * math.log(fast) + share * math.log(slow))

"""What one measure of two generators differs by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .bootstrap import Floats, Resampling
from .evaluation import Measure

_TIE = 1e-12  # what sums in another order may differ by


class Difference(NamedTuple):
    """One measure of two generators.

    Attributes:
        a: Of the first.
        b: Of the second.
        difference: b - a: the mean of the differences of those that have both.
        low: Lower end of its interval; NaN where there is none (coverage, gini).
        high: Upper end.
        wins: How many lists b is larger for.
        losses: How many lists a is larger for.
        ties: How many lists they are equal for.
        lists: How many have both.

    Example:
        >>> import segue
        >>> a = segue.evaluate([[1, 2], [3, 4]], [[1], [9]], k=2)
        >>> b = segue.evaluate([[2, 1], [9, 4]], [[1], [9]], k=2)
        >>> of = segue.compare(a, b).measures["mrr@2"]
        >>> of.difference, of.wins, of.losses
        (0.25, 1, 1)
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    wins: int
    losses: int
    ties: int
    lists: int


Difference.__module__ = "segue"


def differences(
    a: Mapping[str, Measure],
    b: Mapping[str, Measure],
    users_a: Mapping[str, Floats],
    users_b: Mapping[str, Floats],
    resampling: Resampling,
) -> dict[str, Difference]:
    apart = {name: users_b[name] - users_a[name] for name in users_a if name in users_b}
    between = resampling.intervals(apart)
    out = {}
    nan = float("nan")
    for name in a:
        if name in apart:
            of = apart[name][~np.isnan(apart[name])]
            mean = float(of.mean()) if len(of) else nan
            wins, losses = int((of > _TIE).sum()), int((of < -_TIE).sum())
            counts = (wins, losses, len(of) - wins - losses, len(of))
            out[name] = Difference(a[name].value, b[name].value, mean, *between[name], *counts)
        elif name in b:
            out[name] = Difference(a[name].value, b[name].value, b[name].value - a[name].value, nan, nan, 0, 0, 0, 0)
    return out

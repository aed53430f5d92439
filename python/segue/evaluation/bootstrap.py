"""Intervals by resampling users (Efron 1979, Bootstrap methods: another look at the jackknife, Annals of Statistics 7).

Users are drawn with replacement, and the interval lies between quantiles of the means of the draws (the percentile
interval). The same seed draws the same users, whatever is measured: that is what pairs two generators.

A million users times a thousand draws are not worth their seconds. Beyond `_BUNDLES` users, these are dealt at random
into so many bundles of equal size, and bundles are drawn. Means of bundles vary as users do, divided by the size of a
bundle, so the interval is of the same width; the estimate of its variance has a relative error of sqrt(2 / 10,000).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_BUNDLES = 10_000
_CELLS = 1 << 16  # of weights at once, 512 KiB: they stay in the cache of the second level, or near


class Resampling:
    """How rows are drawn: rows of one unit together, units of one bundle together."""

    def __init__(self, rows: int, units: Optional[npt.NDArray[Any]], draws: int, confidence: float, seed: int) -> None:
        self.draws, self.confidence, self.seed = draws, confidence, seed
        if units is None:
            distinct, unit = rows, np.arange(rows)
        else:
            found, unit = np.unique(units, return_inverse=True)
            distinct, unit = len(found), unit.reshape(-1)
        self.units = distinct
        self.bundles = min(distinct, _BUNDLES)
        if distinct > self.bundles:
            dealt = np.random.default_rng((seed, 0)).permutation(distinct) % self.bundles
            unit = dealt[unit]
        self.bundle: npt.NDArray[np.intp] = unit

    def sums(self, values: Floats) -> tuple[Floats, Floats]:
        """Of each bundle the sum over its rows and how many of these are defined (not NaN)."""
        there = ~np.isnan(values)
        bundle = self.bundle[there]
        total: Floats = np.bincount(bundle, values[there], self.bundles).astype(np.float64, copy=False)
        return total, np.bincount(bundle, minlength=self.bundles).astype(np.float64)

    def intervals(self, values: Mapping[str, Floats]) -> dict[str, tuple[float, float]]:
        """Of the mean over the defined rows of each; NaN where fewer than two bundles are defined."""
        pairs = [self.sums(of) for of in values.values()]
        if not pairs:
            return {}
        low, high = self.between(np.stack([p[0] for p in pairs], 1), np.stack([p[1] for p in pairs], 1))
        return {name: (float(low[i]), float(high[i])) for i, name in enumerate(values)}

    def between(self, sums: Floats, counts: Floats) -> tuple[Floats, Floats]:
        """Quantiles of the drawn means of each column; both arrays are (bundles, columns)."""
        columns = sums.shape[1]
        if self.draws == 0:
            return np.full(columns, np.nan), np.full(columns, np.nan)
        means = []
        for weights in self._weights():
            total = weights @ counts
            means.append(np.divide(weights @ sums, total, out=np.full(total.shape, np.nan), where=total > 0))
        drawn = np.sort(np.concatenate(means), axis=0)  # NaN last
        defined = (~np.isnan(drawn)).sum(0)
        tail = (1 - self.confidence) / 2
        low, high = (_quantile(drawn, defined, q) for q in (tail, 1 - tail))
        few = (counts > 0).sum(0) < 2
        return np.where(few, np.nan, low), np.where(few, np.nan, high)

    def _weights(self) -> Iterator[Floats]:
        """How often each bundle is drawn, some draws at once: (some, bundles)."""
        rng = np.random.default_rng((self.seed, 1))
        some = max(1, min(self.draws, _CELLS // max(1, self.bundles)))
        for start in range(0, self.draws, some):
            rows = min(some, self.draws - start)
            drawn = rng.integers(0, self.bundles, (rows, self.bundles))
            drawn += np.arange(rows)[:, None] * self.bundles
            times = np.bincount(drawn.ravel(), minlength=rows * self.bundles)
            yield times.reshape(rows, self.bundles).astype(np.float64)


def _quantile(ordered: Floats, defined: npt.NDArray[Any], q: float) -> Floats:
    """By linear interpolation among the first `defined` of each column."""
    at = q * np.maximum(defined - 1, 0)
    below = np.floor(at).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(defined - 1, 0))
    column = np.arange(ordered.shape[1])
    share = at - below
    between: Floats = ordered[below, column] * (1 - share) + ordered[above, column] * share
    return between

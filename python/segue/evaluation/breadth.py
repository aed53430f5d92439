"""What lists are like whatever they found: novelty, popularity, diversity, how exposure spreads over the catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .vocabulary import Codes

Floats = npt.NDArray[np.float64]

TENTHS = 10


class Popularity:
    """How often each item was taken, by code, as information in bits and as a place in the catalogue of 0 to 1."""

    def __init__(self, counts: Floats, in_catalogue: npt.NDArray[np.bool_]) -> None:
        # An item that nobody took counts like the rarest that somebody took: its information would be infinite.
        rarest = counts[counts > 0].min()
        self.information: Floats = -np.log2(np.maximum(counts, rarest) / counts.sum())
        ordered = np.sort(counts[in_catalogue])
        below, upto = np.searchsorted(ordered, counts, "left"), np.searchsorted(ordered, counts, "right")
        self.standing: Floats = (below + upto) / (2 * len(ordered))
        self.counts = counts

    def tenths(self, exposure: Floats) -> Floats:
        """Shares of `exposure` (by code) that go to each tenth of all that was taken, and last to what nobody took.

        The first tenth is the most popular items that together make a tenth of what was taken: whoever recommends
        just what people take gives a tenth to each. Items of one popularity stand together and are cut in proportion.
        """
        levels, level = np.unique(-self.counts, return_inverse=True)
        taken = np.bincount(level.reshape(-1), self.counts, len(levels))
        shown = np.bincount(level.reshape(-1), exposure, len(levels))
        never = shown[levels == 0].sum()
        some = levels < 0
        edges = np.r_[0.0, np.cumsum(taken[some])] / taken.sum()
        reached = np.interp(np.linspace(0, 1, TENTHS + 1), edges, np.r_[0.0, np.cumsum(shown[some])])
        shares: Floats = np.r_[np.diff(reached), never] / max(float(exposure.sum()), 1.0)
        return shares


def mean_at(values: Floats, codes: Codes, depths: tuple[int, ...]) -> list[Floats]:
    """Mean of `values` (by code) over the filled places of each list down to each depth; NaN of an empty list."""
    there = codes >= 0
    total = np.cumsum(np.where(there, values[codes], 0), axis=1)
    filled = np.cumsum(there, axis=1)
    out = []
    for k in depths:
        many = filled[:, k - 1]
        out.append(np.where(many > 0, total[:, k - 1] / np.maximum(many, 1), np.nan))
    return out


def unit_rows(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Of length 1, and below them a row of zeros for empty places. A vector of zeros stays: its cosines count as 0."""
    out = np.zeros((len(vectors) + 1, vectors.shape[1]), np.float32)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, length, out=out[:-1], where=length > 0)
    return out


def diversity_at(units: npt.NDArray[np.float32], rows: Codes, depths: tuple[int, ...]) -> list[Floats]:
    """1 - mean cosine over the pairs of each list down to each depth; NaN of a list with fewer than two items.

    The cosines of all pairs add up to what the squared length of the sum has beyond the squared lengths of its parts,
    so a list of k items costs k additions of vectors and no k * k products.
    """
    total = np.zeros((len(rows), units.shape[1]), np.float64)
    own, many, out, begin = np.zeros(len(rows)), np.zeros(len(rows)), [], 0
    lengths = np.einsum("ij,ij->i", units, units, dtype=np.float64)
    for k in depths:
        part = rows[:, begin:k]
        total += units[part].sum(axis=1)
        own += lengths[part].sum(axis=1)
        many += (part >= 0).sum(axis=1)
        pairs = many * (many - 1)
        beyond = np.einsum("ij,ij->i", total, total) - own
        out.append(np.where(pairs > 0, 1 - beyond / np.maximum(pairs, 1), np.nan))
        begin = k
    return out


def gini(exposure: npt.NDArray[Any]) -> float:
    """0: every item is shown as often; towards 1: one item takes all."""
    ordered = np.sort(exposure).astype(np.float64)
    n = len(ordered)
    if n == 0 or ordered[-1] == 0:
        return float("nan")
    return float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum() / (n * ordered.sum()))

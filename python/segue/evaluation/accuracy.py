"""What a list found of what was relevant, a user at a time in columns: recall, precision, hit-rate, NDCG, MRR, MAP."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from .user_items import UserItems
from .vocabulary import Codes, Vocabulary

Floats = npt.NDArray[np.float64]

NAMES = ("recall", "precision", "hit-rate", "ndcg", "mrr", "map")


class Relevant:
    """What was relevant to each user, each item once, by ascending code; a repeated one has its largest gain."""

    def __init__(self, items: UserItems, vocabulary: Vocabulary) -> None:
        self._width = max(1, len(vocabulary))
        keys = items.rows() * self._width + vocabulary.codes(items.ids)
        gains = np.ones(len(keys)) if items.gains is None else items.gains
        keys, gains = keys[gains > 0], gains[gains > 0]
        if not (keys[1:] > keys[:-1]).all():
            order = np.argsort(keys, kind="stable")
            keys, gains = keys[order], gains[order]
            first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]][: len(keys)])
            keys, gains = keys[first], np.maximum.reduceat(gains, first) if len(first) else gains
        self._keys = keys
        self._gains: Optional[Floats] = None if items.gains is None else gains
        self.offsets = np.searchsorted(keys, np.arange(len(items) + 1) * self._width)

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        return np.diff(self.offsets)

    @property
    def codes(self) -> Codes:
        return (self._keys % self._width).astype(np.intp)

    def signature(self, vocabulary: Vocabulary) -> int:
        """The same for the same users, items and gains, hardly ever for others: a sum of mixed bits (SplitMix64)."""
        x = (self._keys // self._width).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x ^= vocabulary.ids[self.codes].astype(np.uint64) * np.uint64(0xD1B54A32D192ED03)
        if self._gains is not None:
            x += self._gains.view(np.uint64)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return int((x ^ (x >> np.uint64(31))).sum(dtype=np.uint64))

    def gains_at(self, codes: Codes, first_row: int) -> Floats:
        """The gain at each place of the lists of the users from `first_row` on; 0: not relevant."""
        begin, end = self.offsets[first_row], self.offsets[first_row + len(codes)]
        known = self._keys[begin:end]
        if len(known) == 0:
            return np.zeros(codes.shape)
        keys = (first_row + np.arange(len(codes)))[:, None] * self._width + codes
        at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        hit = (known[at] == keys) & (codes >= 0)
        return hit.astype(np.float64) if self._gains is None else np.where(hit, self._gains[begin:end][at], 0.0)

    def ideal(self, depths: tuple[int, ...]) -> Floats:
        """The DCG of the best possible list of each user, (users, depths)."""
        if self._gains is None:
            best: Floats = np.r_[0.0, np.cumsum(discounts(depths[-1]))]
            return best[np.minimum(self.counts[:, None], depths)]
        users = np.repeat(np.arange(len(self.counts)), self.counts)
        order = np.lexsort((-self._gains, users))
        place = np.arange(len(order)) - np.repeat(self.offsets[:-1], self.counts)
        worth = self._gains[order] / np.log2(place + 2.0)
        return np.stack([np.bincount(users, np.where(place < k, worth, 0), len(self.counts)) for k in depths], 1)


def discounts(depth: int) -> Floats:
    of_places: Floats = 1 / np.log2(np.arange(2, depth + 2))
    return of_places


def measure_lists(gains: Floats, counts: npt.NDArray[Any], ideal: Floats, depths: tuple[int, ...]) -> dict[str, Floats]:
    """By name and depth, one number a user; NaN for users to whom nothing was relevant.

    gains: (users, places); counts: how many items are relevant to each; ideal: as `Relevant.ideal`.
    """
    hit = gains > 0
    found = np.cumsum(hit, axis=1, dtype=np.float64)
    places = np.arange(1, gains.shape[1] + 1)
    gained = np.cumsum(gains * discounts(gains.shape[1]), axis=1)
    precise = np.cumsum(np.where(hit, found / places, 0), axis=1)
    first = np.where(hit.any(1), hit.argmax(1), gains.shape[1])
    any_relevant = counts > 0
    total = np.where(any_relevant, counts, 1)
    measured: dict[str, Floats] = {}
    for i, k in enumerate(depths):
        of_k = {
            "recall": found[:, k - 1] / total,
            "precision": found[:, k - 1] / k,
            "hit-rate": (found[:, k - 1] > 0).astype(np.float64),
            "ndcg": gained[:, k - 1] / np.where(any_relevant, ideal[:, i], 1),
            "mrr": np.where(first < k, 1 / (first + 1), 0),
            "map": precise[:, k - 1] / np.minimum(total, k),
        }
        for name in NAMES:
            measured[f"{name}@{k}"] = np.where(any_relevant, of_k[name], np.nan)
    return measured

"""Ids of any size as codes 0, 1, 2, ...: what tables over items are indexed by."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Codes = npt.NDArray[np.signedinteger[Any]]

# A table over all ids up to the largest costs 4 bytes each; beyond this, and beyond a few times the ids that are there,
# ids are sorted and looked up by bisection, which takes some ten times as long.
_SMALL_TABLE = 1 << 22
_SPARSE = 8


class Vocabulary:
    """The distinct ids of 0 or more of some arrays, ascending."""

    def __init__(self, arrays: list[Ids]) -> None:
        top = max((int(a.max()) for a in arrays if a.size), default=-1) + 1
        dense = top <= max(_SMALL_TABLE, _SPARSE * sum(a.size for a in arrays))
        self._table: Optional[npt.NDArray[Any]] = None
        if dense:
            there = np.zeros(top + 1, np.bool_)  # the last for -1, which counts as nothing
            for array in arrays:
                there[array.ravel()] = True
            there[-1] = False
            self.ids: Ids = np.flatnonzero(there).astype(np.int64)
            self._table = np.full(top + 1, -1, np.int32)
            self._table[self.ids] = np.arange(len(self.ids), dtype=np.int32)
        else:
            found = np.unique(np.concatenate([np.unique(a) for a in arrays]))
            self.ids = found[found >= 0]

    def __len__(self) -> int:
        return len(self.ids)

    def codes(self, ids: Ids) -> Codes:
        """-1 where an id is -1 or not there."""
        if self._table is not None:
            return self._table[np.where(ids < len(self._table) - 1, ids, -1)]
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[at] == ids, at, -1)

"""Lists of different lengths as offsets and one array, and what has to hold of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._arrays import as_floats, as_ids
from .._errors import InvalidArgument

Ids = npt.NDArray[np.int64]


def flatten(lists: Any, what: str) -> tuple[Ids, Ids]:
    """Offsets and ids of a list with one array of ids a user."""
    if isinstance(lists, (str, bytes)) or not hasattr(lists, "__len__"):
        raise InvalidArgument(f"{what} are {lists!r}, expected a list with one array of ids a user")
    rows = [as_ids(row, f"{what}[{i}]") for i, row in enumerate(lists)]
    for i, row in enumerate(rows):
        if row.ndim != 1:
            raise InvalidArgument(f"{what}[{i}] is of shape {row.shape}, expected (m,): one array of ids a user")
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    return offsets_of(lengths), np.concatenate([np.empty(0, np.int64), *rows])


def check_gains(gains: Any, expected: int) -> npt.NDArray[np.float64]:
    if isinstance(gains, (list, tuple)) or (isinstance(gains, np.ndarray) and gains.dtype.kind in "iub"):
        gains = np.asarray(gains, np.float64)
    worth = as_floats(gains, "gains").astype(np.float64) if not _is_double(gains) else np.asarray(gains)
    if worth.shape != (expected,):
        raise InvalidArgument(f"gains are of shape {worth.shape}, expected ({expected},), one an item")
    bad = ~(np.isfinite(worth) & (worth >= 0))
    if bad.any():
        raise InvalidArgument(f"gains[{bad.argmax()}] is {worth[bad.argmax()]}, expected a finite number of 0 or more")
    return worth


def _is_double(gains: Any) -> bool:
    return isinstance(gains, np.ndarray) and gains.dtype == np.float64


def offsets_of(lengths: npt.NDArray[Any]) -> Ids:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def check_offsets(offsets: Ids, ids: Ids) -> None:
    if offsets.ndim != 1 or ids.ndim != 1 or len(offsets) == 0:
        raise InvalidArgument(
            f"offsets and ids are of shapes {offsets.shape} and {ids.shape}, expected (n + 1,) and (m,)"
        )
    if offsets[0] != 0 or offsets[-1] != len(ids) or (np.diff(offsets) < 0).any():
        raise InvalidArgument(
            f"offsets go from {offsets[0]} to {offsets[-1]} for {len(ids)} ids, expected to ascend from 0 to {len(ids)}"
        )
    if ids.size and ids.min() < 0:
        at = int((ids < 0).argmax())
        raise InvalidArgument(f"ids[{at}] is {ids[at]}, expected 0 or more")

"""What people hand to `evaluate`, read and checked once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from .. import _segue
from .._arrays import as_floats, as_ids
from .._errors import InvalidArgument
from .ragged import Ids, flatten
from .user_items import UserItems

_MOST_GROUPS = 1000
_ROWS = 1 << 14


def read_depths(k: Union[int, Iterable[int]]) -> tuple[int, ...]:
    depths = tuple(sorted({*np.atleast_1d(as_ids(k, "k")).tolist()}))
    if not depths or depths[0] < 1:
        raise InvalidArgument(f"k is {k!r}, expected an integer of 1 or more, or several")
    return depths


def read_recommended(value: Any, depth: int) -> Ids:
    """(n, depth) ids, -1 where a place is empty."""
    if not isinstance(value, (UserItems, np.ndarray)) and hasattr(value, "ids") and not callable(value.ids):
        value = value.ids  # a SearchResult, and whatever else has lists beside scores
    if isinstance(value, UserItems):
        return _checked(_padded(value.offsets, value.ids, depth))
    if isinstance(value, (list, tuple)):
        return _checked(_padded(*flatten(value, "recommended"), depth))
    lists = as_ids(value, "recommended")
    if lists.ndim != 2:
        raise InvalidArgument(f"recommended are of shape {lists.shape}, expected (users, k): one list of ids a user")
    if lists.shape[1] < depth:
        raise InvalidArgument(
            f"k goes to {depth}, but recommended has {lists.shape[1]} columns; search with k={depth}, "
            f"or pass k={lists.shape[1]} here"
        )
    return _checked(lists[:, :depth])


def _padded(offsets: Ids, ids: Ids, depth: int) -> Ids:
    lengths = np.diff(offsets)
    out = np.full((len(lengths), depth), -1, np.int64)
    place = np.arange(len(ids)) - np.repeat(offsets[:-1], lengths)
    kept = place < depth
    out[np.repeat(np.arange(len(lengths)), lengths)[kept], place[kept]] = ids[kept]
    return out


def _checked(lists: Ids) -> Ids:
    if len(lists) == 0:
        raise InvalidArgument("recommended has no rows, expected one list of ids a user")
    for start in range(0, len(lists), _ROWS):
        ordered = np.sort(lists[start : start + _ROWS], axis=1)
        low = ordered[:, 0] < -1
        if low.any():
            row = int(low.argmax())
            raise InvalidArgument(
                f"recommended, row {start + row}, holds {ordered[row, 0]}; ids are 0 or more, -1 an empty place"
            )
        twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
        if twice.any():
            row, at = np.argwhere(twice)[0]
            raise InvalidArgument(
                f"recommended, row {start + row}, holds id {ordered[row, at + 1]} more than once; "
                "a list names an item once"
            )
    return lists


def read_relevant(value: Any, gains: Any, rows: int) -> UserItems:
    if isinstance(value, UserItems):
        relevant = value if gains is None else UserItems(value.offsets, value.ids, gains)
    elif isinstance(value, tuple) and len(value) in (2, 3) and all(np.ndim(part) == 1 for part in value):
        if len(value) == 3 and gains is not None:
            raise InvalidArgument("gains came twice: as the third of relevant and as gains")
        relevant = UserItems(value[0], value[1], value[2] if len(value) == 3 else gains)
    elif hasattr(value, "indptr") and hasattr(value, "indices"):  # scipy.sparse
        relevant = UserItems(value.indptr, value.indices, value.data if gains is None else gains)
    else:
        relevant = UserItems.from_lists(value, gains)
    if len(relevant) != rows:
        raise InvalidArgument(f"relevant are of {len(relevant)} users, recommended of {rows}; expected as many")
    return relevant


def read_popularity(value: Any) -> Optional[tuple[Ids, npt.NDArray[np.float64]]]:
    """Ids and how often each was taken."""
    if value is None:
        return None
    if isinstance(value, UserItems):
        value = value.popularity()
    if isinstance(value, Mapping):
        value = (list(value.keys()), list(value.values()))
    if not isinstance(value, tuple):
        counts = np.asarray(value, np.float64)
        value = (np.arange(counts.size), counts)
    ids, counts = as_ids(value[0], "popularity, ids"), np.asarray(value[1], np.float64)
    if ids.ndim != 1 or ids.shape != counts.shape:
        raise InvalidArgument(
            f"popularity is of ids of shape {ids.shape} and counts of shape {counts.shape}, expected one count an id"
        )
    if ids.size and (ids.min() < 0 or len(np.unique(ids)) < len(ids)):
        raise InvalidArgument("popularity holds an id below 0 or one twice, expected distinct ids of 0 or more")
    if not np.isfinite(counts).all() or (counts < 0).any() or not counts.sum() > 0:
        raise InvalidArgument("popularity holds no count above 0, or one that is no number of 0 or more")
    return ids, counts


def read_items(items: Any, index: Any, popularity: Any) -> Optional[Ids]:
    """The catalogue, distinct and ascending; None: not known."""
    if items is None:
        if isinstance(index, _segue.Index):
            items = index
        elif index is not None:
            items = len(index)
        elif isinstance(popularity, (list, np.ndarray)):
            items = len(popularity)
        else:
            return None
    if isinstance(items, (int, np.integer)):
        if items < 1:
            raise InvalidArgument(f"items is {items}, expected how many there are, 1 or more, or their ids")
        return np.arange(items, dtype=np.int64)
    ids = np.unique(as_ids(items.ids() if callable(getattr(items, "ids", None)) else items, "items"))
    if ids.ndim != 1 or ids.size == 0 or ids[0] < 0:
        raise InvalidArgument(f"items are {items!r}, expected ids of 0 or more, a Catalog, or how many there are")
    return ids


def read_vectors(index: Any, ids: Ids) -> npt.NDArray[np.float32]:
    """One row an id, of an index or of a matrix that has a row an id."""
    if isinstance(index, _segue.Index):
        return index.get(ids)
    matrix = as_floats(index, "index")
    if matrix.ndim != 2:
        raise InvalidArgument(f"index is of shape {matrix.shape}, expected a segue.Index or a matrix with a row an id")
    if ids.size and ids[-1] >= len(matrix):
        raise InvalidArgument(f"recommended holds id {ids[-1]}, but index has {len(matrix)} rows, one an id from 0 on")
    return matrix[ids]


def read_labels(groups: Any, rows: int, what: str = "groups") -> npt.NDArray[Any]:
    labels = np.asarray(groups)
    if labels.shape != (rows,):
        raise InvalidArgument(f"{what} are of shape {labels.shape}, expected ({rows},): one label a user")
    if labels.dtype.kind == "O":
        labels = np.array([str(label) for label in labels])
    if what == "groups" and (found := len(np.unique(labels))) > _MOST_GROUPS:
        raise InvalidArgument(
            f"groups has {found:,} labels, expected at most {_MOST_GROUPS}; group users more coarsely"
        )
    return labels


def check_bootstrap(draws: int, confidence: float, seed: int) -> None:
    if not isinstance(draws, (int, np.integer)) or draws < 0:
        raise InvalidArgument(f"bootstrap is {draws!r}, expected how many draws, 0 for no intervals")
    if not 0 < confidence < 1:
        raise InvalidArgument(f"confidence is {confidence!r}, expected a number above 0 and below 1, for instance 0.95")
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InvalidArgument(f"seed is {seed!r}, expected an integer of 0 or more")


def rows_by_label(labels: Optional[npt.NDArray[Any]]) -> list[tuple[Any, npt.NDArray[np.intp]]]:
    """Each distinct label, ascending, with its rows."""
    if labels is None:
        return []
    distinct, code, many = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(code.reshape(-1), kind="stable")
    return list(zip(distinct.tolist(), np.split(order, np.cumsum(many)[:-1])))

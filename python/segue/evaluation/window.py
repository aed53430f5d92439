"""Windows of a replay: where they lie, and what generators are asked in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import InvalidArgument
from .log import Log
from .ragged import Ids
from .user_items import UserItems


@dataclass(frozen=True, eq=False)
class Window:
    """What a generator is asked in a replay: lists for some users, at one moment of the log.

    Attributes:
        at: The moment; nothing of it or after it is in `history` or `past`.
        users: Names of those who are asked for, shape (n,).
        history: What each of them had taken, oldest first.
        past: What everybody had taken, for popularity or training.
        k: How many ids a user to return.

    Example:
        >>> import segue
        >>> nobody = segue.UserItems([0], [])
        >>> segue.Window(at=3, users=[], history=nobody, past=nobody, k=10).k
        10
    """

    at: Any
    users: npt.NDArray[Any]
    history: UserItems
    past: UserItems
    k: int


Window.__module__ = "segue"


def edges_of(log: Log, windows: Any) -> list[Any]:
    if isinstance(windows, (int, np.integer)):
        if windows < 1:
            raise InvalidArgument(f"windows is {windows}, expected 1 or more, or their edges")
        ordered = np.sort(log.time)
        at = len(ordered) // 2 + np.arange(windows) * (len(ordered) - len(ordered) // 2) // windows
        past_the_end = ordered[-1] + (np.timedelta64(1, _unit(ordered)) if ordered.dtype.kind == "M" else 1)
        edges = [*np.unique(ordered[at]), past_the_end]
        if len(edges) != windows + 1 or edges[0] == ordered[0]:
            raise InvalidArgument(f"the times of the log are too few for {windows} windows; give their edges")
        return edges
    if isinstance(windows, str) or len(windows) < 2:
        raise InvalidArgument(f"windows are {windows!r}, expected how many, or at least two edges")
    edges = [log.moment(edge, f"windows[{i}]") for i, edge in enumerate(windows)]
    for i in range(1, len(edges)):
        if not edges[i - 1] < edges[i]:
            raise InvalidArgument(f"windows[{i}] is {windows[i]!r}, expected a time after {windows[i - 1]!r}")
    return edges


def _unit(times: npt.NDArray[Any]) -> Any:
    return np.datetime_data(times.dtype)[0]


def shown(moment: Any) -> str:
    text = (
        str(moment).rstrip("0").rstrip(".") if isinstance(moment, np.datetime64) and "." in str(moment) else str(moment)
    )
    return text.removesuffix("T00:00:00").removesuffix("T00:00")


def ask(log: Log, at: Any, until: Any, k: int, drop_seen: bool, min_history: int) -> tuple[Window, Ids, UserItems]:
    before = log.time < at
    after = ~before & (log.time < until)
    if drop_seen:
        after = log.unseen(after, before)
    past, future = log.take(before), log.take(after)
    rows = np.flatnonzero((past.lengths >= min_history) & (future.lengths > 0))
    return Window(at, log.names[rows], past[rows], past[past.lengths > 0], k), rows, future[rows]

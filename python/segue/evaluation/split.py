"""What was known at a time, and what came after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from .._errors import InvalidArgument
from .log import read_log
from .user_items import UserItems


class Split(NamedTuple):
    """Histories of users, and what they took next. Made by `segue.split_by_time`.

    Attributes:
        users: Names of the users as the log has them, ascending, shape (n,).
        history: What each had taken, oldest first.
        future: What each took next; empty for those who did not come back.

    Example:
        >>> import segue
        >>> log = (["ann", "bob", "ann"], [4, 4, 7], [1, 2, 3])
        >>> users, history, future = segue.split_by_time(log, at=3)
        >>> users.tolist(), history[0].tolist(), future[0].tolist()
        (['ann', 'bob'], [4], [7])
    """

    users: npt.NDArray[Any]
    history: UserItems
    future: UserItems


Split.__module__ = "segue"


def split_by_time(
    log: Any,
    at: Any = None,
    *,
    until: Any = None,
    last: Optional[int] = None,
    drop_seen: bool = False,
    columns: Sequence[str] = ("user", "item", "time"),
) -> Split:
    """Splits a log into what was known and what came next.

    With `at`, history is all that happened before that time and future all from it on: what a
    generator may look at never holds anything of the time that it is judged by, of no user.
    Only such a split says what a change would have done in production.

    With `last`, the newest events of each user are the future, whenever they were. Every user
    is then judged, but the history of one user may be later than the future of another, so
    that what was popular, or trained, knows of the future (Ji et al. 2023, A critical study on
    data leakage in recommender system offline evaluation): use it for logs without real times.

    Args:
        log: Three arrays (users, items, times), a mapping, an Arrow table or a pandas.DataFrame.
            Users are integers or texts, items ids of 0 or more (of keys: `Catalog.ids`), times
            numbers, datetime64, or texts like 2024-05-01.
        at: The first moment of the future. None: `last` says.
        until: The first moment that is not looked at any more; None: the log's end.
        last: How many events of each user are the future; at least one stays history.
        drop_seen: Leaves out of the future what the same user has in history: new to them.
        columns: Names of the three columns of a table.

    Returns:
        Split. Users are all of those who have anything before `until`.

    Raises:
        InvalidArgument: A log that cannot be read, both or neither of `at` and `last`, a time
            that nothing is before.

    Example:
        >>> import segue
        >>> log = {"user": [1, 1, 1, 2], "item": [5, 6, 5, 6],
        ...        "time": ["2024-05-01", "2024-05-02", "2024-05-03", "2024-05-03"]}
        >>> split = segue.split_by_time(log, at="2024-05-03", drop_seen=True)
        >>> list(split.history), list(split.future)
        ([array([5, 6]), array([], dtype=int64)], [array([], dtype=int64), array([6])])
    """
    read = read_log(log, columns)
    if (at is None) == (last is None):
        raise InvalidArgument("expected one of at (a time) and last (how many events of each user)")
    within = np.ones(len(read.item), np.bool_)
    if until is not None:
        within = read.time < read.moment(until, "until")
    if last is not None:
        if not isinstance(last, (int, np.integer)) or last < 1:
            raise InvalidArgument(f"last is {last!r}, expected 1 or more")
        many = np.bincount(read.user[within], minlength=len(read.names))
        place = np.cumsum(within) - 1 - np.repeat(np.r_[0, np.cumsum(many)[:-1]], np.bincount(read.user))
        before = within & (place < np.maximum(many - last, 1)[read.user])
    else:
        moment = read.moment(at, "at")
        before = (read.time < moment) & within
        if until is not None and not moment < read.moment(until, "until"):
            raise InvalidArgument(f"until is {until!r}, expected a time after at, {at!r}")
    if not before.any():
        raise InvalidArgument(f"nothing of the log is before {at!r}; it begins at {read.time.min()}")
    after = within & ~before
    if drop_seen:
        after = read.unseen(after, before)
    there = np.bincount(read.user[within], minlength=len(read.names)) > 0
    return Split(read.names[there], read.take(before)[there], read.take(after)[there])

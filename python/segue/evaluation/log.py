"""A log of who took what when, read once and sorted by user and time."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._arrays import as_ids
from .._errors import InvalidArgument
from .ragged import Ids
from .user_items import UserItems


@dataclass(frozen=True, eq=False)
class Log:
    """Rows by user, then time, then place in the log that came."""

    names: npt.NDArray[Any]  # of the users, distinct and ascending
    user: npt.NDArray[np.intp]
    item: Ids
    time: npt.NDArray[Any]

    def take(self, rows: npt.NDArray[np.bool_]) -> UserItems:
        """Of every user, those of their rows."""
        many = np.bincount(self.user[rows], minlength=len(self.names))
        return UserItems(np.r_[0, np.cumsum(many)], self.item[rows])

    def unseen(self, rows: npt.NDArray[np.bool_], seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Those of `rows` whose item is in none of the same user's `seen`."""
        codes = np.unique(self.item, return_inverse=True)[1].reshape(-1)
        keys = self.user.astype(np.int64) * (int(codes.max(initial=0)) + 1) + codes
        left = rows.copy()
        left[rows] = ~np.isin(keys[rows], keys[seen])
        return left

    def moment(self, value: Any, what: str) -> Any:
        """`value` as a time of this log."""
        if self.time.dtype.kind != "M":
            if isinstance(value, (str, datetime.date, np.datetime64)) or not np.isscalar(value) or value != value:
                raise InvalidArgument(f"{what} is {value!r}, expected a number, as the times of the log are")
            return value
        if isinstance(value, str):
            try:
                value = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
            except ValueError:
                pass  # numpy knows more forms
        if isinstance(value, datetime.datetime) and value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        if isinstance(value, (str, datetime.date, np.datetime64)):
            try:
                moment = np.datetime64(value)
            except ValueError:
                moment = np.datetime64("NaT")
            if not np.isnat(moment):
                return moment
        raise InvalidArgument(f"{what} is {value!r}, expected a date or a time, for instance '2024-05-01'")


def read_log(log: Any, columns: Sequence[str] = ("user", "item", "time")) -> Log:
    if isinstance(columns, str) or len(columns) != 3:
        raise InvalidArgument(f"columns are {columns!r}, expected the three names of user, item and time")
    user, item, time = _columns(log, columns)
    users, items, times = _values(user), _values(item), _values(time)
    if items.size == 0:
        raise InvalidArgument("the log has no rows")
    items, times = as_ids(items, "items of the log"), _times(times)
    if not users.ndim == items.ndim == times.ndim == 1 or not len(users) == len(items) == len(times):
        raise InvalidArgument(
            f"users, items and times of the log are of shapes {users.shape}, {items.shape} and {times.shape}, "
            "expected one of each a row"
        )
    if items.min() < 0:
        row = int((items < 0).argmax())
        raise InvalidArgument(f"the log's item in row {row} is {items[row]}, expected an id of 0 or more")
    if users.dtype.kind == "O":
        users = np.array([str(name) for name in users])
    names, user_codes = np.unique(users, return_inverse=True)
    order = np.lexsort((times, user_codes))
    return Log(names, user_codes.reshape(-1)[order], items[order], times[order])


def _columns(log: Any, columns: Sequence[str]) -> tuple[Any, Any, Any]:
    if isinstance(log, (tuple, list)):
        if len(log) != 3:
            raise InvalidArgument(f"log has {len(log)} parts, expected three arrays: users, items, times")
        return log[0], log[1], log[2]
    if isinstance(log, Mapping):
        names: list[Any] = list(log)
    elif hasattr(log, "column_names"):  # pyarrow
        names = list(log.column_names)
    elif hasattr(log, "columns"):  # pandas
        names = list(log.columns)
    else:
        raise InvalidArgument(
            f"log is a {type(log).__name__}, expected three arrays (users, items, times), a mapping, an Arrow table "
            "or a pandas.DataFrame"
        )
    for name in columns:
        if name not in names:
            raise InvalidArgument(
                f"the log has no column {name!r}; there are: {', '.join(map(str, names))}; "
                "say columns=(user, item, time)"
            )
    user, item, time = (log[name] for name in columns)
    return user, item, time


def _values(column: Any) -> npt.NDArray[Any]:
    if type(column).__module__.partition(".")[0] == "pyarrow" and not hasattr(column, "chunks"):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    return np.asarray(column.to_numpy() if hasattr(column, "to_numpy") else column)


def _times(times: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if times.dtype.kind in "OU":
        try:
            times = times.astype("datetime64[us]")
        except (ValueError, TypeError) as error:
            raise InvalidArgument(f"times of the log are neither numbers nor dates: {error}") from None
    if times.dtype.kind not in "iufM":
        raise InvalidArgument(f"times of the log are of dtype {times.dtype}, expected numbers or datetime64")
    missing = np.isnat(times) if times.dtype.kind == "M" else np.isnan(times)
    if missing.any():
        raise InvalidArgument(f"the log's time in row {missing.argmax()} is missing; leave such rows out")
    return times

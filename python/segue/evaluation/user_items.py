"""Items of many users as two arrays: what a user had, or took next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional, Union, overload

import numpy as np
import numpy.typing as npt

from .._arrays import as_ids
from .._errors import InvalidArgument
from .ragged import Ids, check_gains, check_offsets, flatten, offsets_of


class UserItems:
    """Items of many users, one user's after the other's, in the order in which they were taken.

    Three arrays and no Python object a user, so a million users are a few numpy calls.
    `items[7]` are the ids of user 7, `items[rows]` with a slice, integers or booleans is the
    same for some users, and len() is the number of users.

    Args:
        offsets: Integers of shape (n + 1,), from 0, ascending: user i has
            ids[offsets[i]:offsets[i + 1]].
        ids: Integers of 0 or more, shape (offsets[-1],).
        gains: None, or floats of the same shape, 0 or more: how much each is worth.

    Attributes:
        offsets: int64 of shape (n + 1,).
        ids: int64 of shape (offsets[-1],).
        gains: float64 of the same shape, or None.

    Raises:
        InvalidArgument: Offsets that do not ascend or do not fit, ids or gains below 0.

    Example:
        >>> import segue
        >>> played = segue.UserItems([0, 3, 3, 5], [8, 9, 7, 9, 1])
        >>> len(played), played[0].tolist(), played.lengths.tolist()
        (3, [8, 9, 7], [3, 0, 2])
        >>> played.last(2)
        array([[ 7,  9],
               [-1, -1],
               [ 1,  9]])
    """

    def __init__(self, offsets: Any, ids: Any, gains: Any = None) -> None:
        self.offsets: Ids = as_ids(offsets, "offsets")
        self.ids: Ids = as_ids(ids, "ids")
        self.gains: Optional[npt.NDArray[np.float64]] = None
        check_offsets(self.offsets, self.ids)
        if gains is not None:
            self.gains = check_gains(gains, len(self.ids))

    @classmethod
    def from_lists(cls, lists: Any, gains: Any = None) -> UserItems:
        """Of one array or list a user.

        Args:
            lists: A list with an array of ids a user, or an integer matrix padded by -1.
            gains: None, or a list of the same shape.

        Returns:
            UserItems.

        Raises:
            InvalidArgument: Something that is no list of lists of ids; the message has the row.

        Example:
            >>> import segue
            >>> segue.UserItems.from_lists([[8, 9], [], [1]])
            UserItems(3 users, 3 items)
        """
        if isinstance(lists, np.ndarray) and lists.ndim == 2:
            matrix = as_ids(lists, "lists")
            kept = matrix >= 0
            flat = None if gains is None else np.asarray(gains)
            if flat is not None and flat.shape != matrix.shape:
                raise InvalidArgument(f"gains are of shape {flat.shape}, expected {matrix.shape}, that of the lists")
            return cls(offsets_of(kept.sum(1)), matrix[kept], None if flat is None else flat[kept])
        offsets, ids = flatten(lists, "lists")
        lengths = np.diff(offsets)
        worth = None
        if gains is not None:
            if len(gains) != len(lengths):
                raise InvalidArgument(f"gains are of {len(gains)} users, expected {len(lengths)}, one list a user")
            for i, row in enumerate(gains):
                if len(row) != lengths[i]:
                    raise InvalidArgument(f"gains[{i}] has {len(row)} numbers, expected {lengths[i]}, one an item")
            worth = np.concatenate([np.empty(0), *(np.asarray(row, np.float64) for row in gains)])
        return cls(offsets, ids, worth)

    @property
    def lengths(self) -> Ids:
        """How many items each user has: int64 of shape (n,)."""
        return np.diff(self.offsets)

    def last(self, n: int) -> Ids:
        """The last n items of each user, the newest first.

        Args:
            n: 1 or more.

        Returns:
            int64 array of shape (users, n), padded by -1.

        Example:
            >>> import segue
            >>> segue.UserItems.from_lists([[8, 9, 7], [3]]).last(2).tolist()
            [[7, 9], [3, -1]]
        """
        if n < 1:
            raise InvalidArgument(f"n is {n}, expected 1 or more")
        at = self.offsets[1:, None] - 1 - np.arange(n)
        there = at >= self.offsets[:-1, None]
        out = np.full(at.shape, -1, np.int64)
        out[there] = self.ids[at[there]]
        return out

    def popularity(self) -> tuple[Ids, Ids]:
        """How many users have each item, however often.

        Returns:
            The pair (ids, counts), ids ascending.

        Example:
            >>> import segue
            >>> segue.UserItems.from_lists([[8, 8, 7], [8]]).popularity()
            (array([7, 8]), array([1, 2]))
        """
        order = np.lexsort((self.ids, self.rows()))
        users, ids = self.rows()[order], self.ids[order]
        first = np.ones(len(ids), bool)
        first[1:] = (users[1:] != users[:-1]) | (ids[1:] != ids[:-1])
        found, counts = np.unique(ids[first], return_counts=True)
        return found, counts.astype(np.int64)

    def rows(self) -> Ids:
        """Which user each of `ids` belongs to.

        Returns:
            int64 array of shape (offsets[-1],).

        Example:
            >>> import segue
            >>> segue.UserItems.from_lists([[8, 9], [], [1]]).rows().tolist()
            [0, 0, 2]
        """
        return np.repeat(np.arange(len(self)), self.lengths)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[Ids]:
        return (self.ids[a:b] for a, b in zip(self.offsets[:-1], self.offsets[1:]))

    @overload
    def __getitem__(self, user: Union[int, np.integer[Any]]) -> Ids: ...
    @overload
    def __getitem__(self, user: Union[slice, list[int], npt.NDArray[Any]]) -> UserItems: ...
    def __getitem__(self, user: Any) -> Any:
        if isinstance(user, (int, np.integer)):
            at = range(len(self))[int(user)]
            return self.ids[self.offsets[at] : self.offsets[at + 1]]
        rows = np.arange(len(self))[user]
        lengths = self.lengths[rows]
        offsets = offsets_of(lengths)
        at = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return UserItems(offsets, self.ids[at], None if self.gains is None else self.gains[at])

    def __repr__(self) -> str:
        return f"UserItems({len(self):,} users, {len(self.ids):,} items)"


UserItems.__module__ = "segue"

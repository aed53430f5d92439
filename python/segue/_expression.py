"""`segue.field`: comparisons of a column, in Python's own signs."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any, Union

import numpy as np

from . import _segue
from ._errors import InvalidArgument

Literal = Union[bool, int, float, str]
_INT64 = np.iinfo(np.int64)


def field(name: str) -> Field:
    """A column of a catalog by its name, to compare with.

    Args:
        name: As the catalog calls it; whether it does is checked where the expression is used.

    Returns:
        Field. `==`, `!=`, `<`, `<=`, `>`, `>=` and its methods give Expressions.

    Example:
        >>> import segue
        >>> (segue.field("minutes") <= 30) & (segue.field("explicit") == False)
        Expression(minutes <= 30 and explicit = false)
    """
    if not isinstance(name, str):
        raise InvalidArgument(f"name is {name!r} ({type(name).__name__}), expected a str")
    return Field(name)


class Field:
    """A column by name. Made by `segue.field`; compared, it gives an Expression.

    A missing value matches no comparison, `!=` included.

    Example:
        >>> import segue
        >>> segue.field("aired") >= "2024-05-01"
        Expression(aired >= '2024-05-01')
    """

    __slots__ = ("_name",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        self._name = name

    def __eq__(self, value: Any) -> _segue.Expression:  # type: ignore[override]
        return self._leaf("==", value)

    def __ne__(self, value: Any) -> _segue.Expression:  # type: ignore[override]
        return self._leaf("!=", value)

    def __lt__(self, value: Any) -> _segue.Expression:
        return self._leaf("<", value)

    def __le__(self, value: Any) -> _segue.Expression:
        return self._leaf("<=", value)

    def __gt__(self, value: Any) -> _segue.Expression:
        return self._leaf(">", value)

    def __ge__(self, value: Any) -> _segue.Expression:
        return self._leaf(">=", value)

    def between(self, low: Any, high: Any) -> _segue.Expression:
        """Values from low to high, both included.

        Args:
            low: A number or a date.
            high: Likewise; below low, nothing matches.

        Returns:
            Expression.

        Example:
            >>> import segue
            >>> segue.field("minutes").between(20, 45)
            Expression(minutes between 20 and 45)
        """
        return self._leaf("between", low, high)

    def isin(self, values: Iterable[Any]) -> _segue.Expression:
        """Values equal to one of some; of sets, those that hold at least one.

        Thousands of values of a set are as quick as a few: one pass over the column.

        Args:
            values: Numbers, dates or texts; none of them: nothing matches.

        Returns:
            Expression.

        Example:
            >>> import segue
            >>> segue.field("discipline").isin(["yoga", "pilates"])
            Expression(discipline in ('yoga', 'pilates'))
        """
        if isinstance(values, str):
            raise InvalidArgument(f"values are {values!r}, expected a list of them: isin([{values!r}])")
        return self._leaf("in", *values)

    def contains(self, value: str) -> _segue.Expression:
        """Sets that hold a value.

        Args:
            value: A text.

        Returns:
            Expression.

        Example:
            >>> import segue
            >>> segue.field("market").contains("SE")
            Expression(market has 'SE')
        """
        return self._leaf("has", value)

    def is_missing(self) -> _segue.Expression:
        """Rows without a value.

        Returns:
            Expression.

        Example:
            >>> import segue
            >>> ~segue.field("market").is_missing()
            Expression(market is not missing)
        """
        return _segue._leaf("missing", self._name, [])

    def __repr__(self) -> str:
        return f"field({self._name!r})"

    def _leaf(self, form: str, *values: Any) -> _segue.Expression:
        return _segue._leaf(form, self._name, [literal(value) for value in values])


def literal(value: Any) -> Literal:
    """What a column is compared with, as one of the four types that expressions know."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        if not _INT64.min <= int(value) <= _INT64.max:
            raise InvalidArgument(f"{value} does not fit 64 bits; pass a float")
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (datetime.date, np.datetime64)):
        return _date_text(value)
    raise InvalidArgument(
        f"a column is compared with {value!r} ({type(value).__name__}), expected a bool, a number, a str or a date"
        + ("; for missing values write .is_missing()" if value is None else "")
    )


def _date_text(value: Union[datetime.date, np.datetime64]) -> str:
    if isinstance(value, np.datetime64):
        if np.isnat(value):
            raise InvalidArgument("a column is compared with NaT; for missing values write .is_missing()")
        return str(value.astype("datetime64[s]"))
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc)
        return value.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    return value.isoformat()

"""The name of inverted lists, which this version does not have yet."""

from __future__ import annotations

from typing import Any, NoReturn

from ._errors import Unsupported


class IvfIndex:
    """Inverted lists: a name that is kept for a later version.

    Code that chooses among the kinds of index by name can name it; making one fails.

    Raises:
        Unsupported: Always. Use HnswIndex or FlatIndex.

    Example:
        >>> import segue
        >>> segue.IvfIndex(64)
        Traceback (most recent call last):
        ...
        segue.Unsupported: IvfIndex is not in this version; use HnswIndex or FlatIndex
    """

    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Unsupported("IvfIndex is not in this version; use HnswIndex or FlatIndex")

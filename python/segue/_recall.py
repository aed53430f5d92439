"""How much of the truth a search found."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _segue
from ._arrays import as_ids
from ._errors import InvalidArgument


def recall(ids: Any, truth: Any, k: int) -> float:
    """Mean recall@k: how many of the true k best were found, on average over the queries.

    Args:
        ids: What a search found: integers of shape (n, at least k), or (at least k,) for a
            single query. The first k columns count.
        truth: What an exact search found, best first, of the same shape; its first k
            columns count.
        k: 1 or more.

    Returns:
        float of 0 to 1. Missing results (-1) never count.

    Raises:
        InvalidArgument: Shapes that do not fit, k below 1.

    Example:
        >>> import segue
        >>> segue.recall([[1, 9], [4, 5]], [[1, 2], [5, 4]], k=2)
        0.75
    """
    return _segue._recall(_matrix(ids, "ids"), _matrix(truth, "truth"), k)


def _matrix(value: Any, what: str) -> np.ndarray:
    array = as_ids(value, what)
    if array.ndim not in (1, 2):
        raise InvalidArgument(f"{what} are of shape {array.shape}, expected (n, k) or (k,)")
    return np.atleast_2d(array)

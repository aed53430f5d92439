"""From a recall that is wanted to the effort that reaches it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import _segue
from ._arrays import as_ids
from ._errors import InvalidArgument
from ._progress import show

_POINT = np.dtype(
    [("effort", "i8"), ("recall", "f8"), ("recall_low", "f8"), ("microseconds", "f8"), ("distances", "f8")]
)


class Tuning(NamedTuple):
    """What `segue.tune` measured.

    Attributes:
        k: How many items each query asked for.
        recall: The recall that was asked for.
        effort: The smallest ef of an HnswIndex, or nprobe of an IvfIndex, that holds it; the
            largest that was measured where none does. 0 on a FlatIndex, which has none.
        reached: Whether that effort holds the recall.
        expected_recall: What to expect of that effort: a little more than `recall`, because it
            is chosen by `recall_low`.
        microseconds: What a query takes with that effort, in its thread, on this machine.
        curve: Record array of shape (n,), by ascending effort. Fields: effort, recall (mean over
            the queries, made monotone), recall_low (with 95 % confidence it is at least that),
            microseconds (mean of a query in its thread), distances (scores computed a query).

    Example:
        >>> import numpy as np, segue
        >>> x = np.random.default_rng(0).standard_normal((3000, 8), dtype=np.float32)
        >>> index = segue.build(x[:2000], metric="l2", kind="hnsw", progress=False)
        >>> tuning = segue.tune(index, x[2000:], recall=0.9, progress=False)
        >>> tuning.reached, bool((np.diff(tuning.curve.recall) >= 0).all())
        (True, True)
    """

    k: int
    recall: float
    effort: int
    reached: bool
    expected_recall: float
    microseconds: float
    curve: np.recarray[Any, Any]


Tuning.__module__ = "segue"


def tune(
    index: _segue.Index,
    queries: Any = None,
    k: int = 10,
    recall: float = 0.95,
    truth: Any = None,
    *,
    sample: int = 1000,
    seed: int = 0,
    threads: int | None = None,
    progress: Any = True,
) -> Tuning:
    """Measures recall against effort, and keeps the curve in the index and its file.

    From then on `index.search(queries, k, recall=0.95)` does as much work as that takes; so
    does any other recall along the curve, and any smaller k. Curves of several k are kept
    beside each other; a new one takes the place of that of its k. Adding and removing keep
    them; `index.stats()` says how many items changed since.

    Give queries like those of production, some hundred to some thousand, that are not items
    of the index. Without them, items serve, each moved away from its nearest neighbour by
    the distance between the two. That is harder than most real queries, so more effort than
    needed is chosen (1.3 to 2 times, where it was measured); and where queries are another
    kind of vector than items (users and tracks under "ip"), such a curve says little.

    Args:
        index: An HnswIndex or an IvfIndex. A FlatIndex is measured too; it finds all whatever
            is asked for.
        queries: Float array of shape (n, dim); None: `sample` items of the index.
        k: How many items a search will ask for, 1 or more.
        recall: The share of the true k best to be found, above 0 and below 1. The curve goes
            at least that far, if any effort does.
        truth: Integer array of shape (n, at least k): ids of the true nearest of each query,
            best first, -1 where there are no more. None: computed by an exact scan over the
            vectors as the index stores them, in time n * len(index) * dim and at most some
            200 MB. Pass the truth of the original vectors to count rounding as a loss.
        sample: How many items serve as queries where none are given.
        seed: Chooses them.
        threads: At most so many; None: all. Recall does not depend on it.
        progress: As in `segue.build`; half of the bar is for queries and truth, half for the
            curve.

    Returns:
        Tuning.

    Raises:
        InvalidArgument: An empty index, k below 1, a recall out of its range, truth that does
            not fit the queries; what `search` says of queries.
        NotFound: An item was removed while it was being read.
        Cancelled: The callable returned False; the index keeps the curve that it had.
        KeyboardInterrupt: Ctrl-C; likewise.

    Example:
        >>> import numpy as np, segue
        >>> x = np.random.default_rng(0).standard_normal((3000, 8), dtype=np.float32)
        >>> index = segue.build(x[:2000], metric="l2", kind="hnsw", progress=False)
        >>> tuning = segue.tune(index, x[2000:2500], k=10, recall=0.95, progress=False)
        >>> found = index.search(x[2500:], k=10, recall=0.95)
        >>> found.ids.shape, tuning.expected_recall >= 0.95
        ((500, 10), True)
    """
    if truth is not None:
        if queries is None:
            raise InvalidArgument("truth came without queries; give the queries that it belongs to")
        truth = as_ids(truth, "truth")
        if truth.ndim not in (1, 2):
            raise InvalidArgument(f"truth is of shape {truth.shape}, expected (n, k)")
        truth = np.atleast_2d(truth)
    with show(progress) as callback:
        (measured_k, asked, effort, reached, expected, microseconds), points = _segue._tune(
            index, queries, k, recall, truth, sample, seed, threads, callback
        )
    curve = np.rec.array(np.empty(len(points), _POINT))
    for column, name in enumerate(_POINT.names or ()):
        curve[name] = points[:, column]
    return Tuning(measured_k, asked, effort, reached, expected, microseconds, curve)

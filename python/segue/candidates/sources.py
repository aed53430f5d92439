"""Where candidates come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Optional, SupportsIndex, Union

from .. import _segue
from .._arrays import as_ids, as_numbers
from .._errors import InvalidArgument


class _Nearest:
    """What searches an index, whatever it asks."""

    def __init__(
        self,
        index: _segue.Index,
        *,
        ef: Optional[SupportsIndex] = None,
        nprobe: Optional[SupportsIndex] = None,
        recall: Optional[float] = None,
    ) -> None:
        self._of = type(an_index(index, "index")).__name__
        self._core = self._make(index, ef, nprobe, recall)

    def _make(self, index: _segue.Index, *effort: Any) -> _segue._Source:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._of})"


class NearestToVectors(_Nearest):
    """Nearest to a request's vectors, together as its `combine` says. Nothing for one without vectors.

    Args:
        index: The index to search.
        ef: Of a HnswIndex, as in its `search`.
        nprobe: Of an IvfIndex.
        recall: What `segue.tune` found the effort for; not together with the others.

    Example:
        >>> import numpy as np, segue
        >>> index = segue.build(np.eye(4, dtype=np.float32), metric="cosine", progress=False)
        >>> segue.NearestToVectors(index)
        NearestToVectors(FlatIndex)
    """

    def _make(self, index: _segue.Index, *effort: Any) -> _segue._Source:
        return _segue._nearest_to_vectors(index, *effort)


class NearestToSeeds(_Nearest):
    """Nearest to the seeds of a request: to the sum of their vectors, older ones weighing less, in
    one search.

    Args:
        index: The index to search, which has the vectors. Seeds that it does not hold are passed
            over.
        ef: Of a HnswIndex, as in its `search`.
        nprobe: Of an IvfIndex.
        recall: What `segue.tune` found the effort for; not together with the others.

    Example:
        >>> import numpy as np, segue
        >>> index = segue.build(np.eye(4, dtype=np.float32), metric="cosine", progress=False)
        >>> segue.NearestToSeeds(index)
        NearestToSeeds(FlatIndex)
    """

    def _make(self, index: _segue.Index, *effort: Any) -> _segue._Source:
        return _segue._nearest_to_seeds(index, *effort)


class RankedList:
    """A list, best first: what is popular, new, chosen by editors.

    Args:
        ids: Best first, none twice.
        scores: One an id, falling; None: only the rank counts.

    Example:
        >>> import segue
        >>> segue.RankedList([7, 3, 9])
        RankedList(3 ids)
    """

    def __init__(self, ids: Any, scores: Any = None) -> None:
        ids = as_ids(ids, "ids")
        self._size = ids.size
        self._core = _segue._ranked_list(ids, None if scores is None else as_numbers(scores, "scores"))

    def __repr__(self) -> str:
        return f"RankedList({self._size} ids)"


class CallableSource:
    """Whatever a function proposes. Ids that are not allowed, or there twice, are dropped.

    Args:
        function: Called with the Request and how many are wanted; returns ids, best first, or the
            pair (ids, scores), larger ones better. It may be called from several threads, and more
            than once a request. What it raises is this source's failure: the others go on. Fewer
            ids than wanted say that it has no more.

    Example:
        >>> import segue
        >>> segue.CallableSource(lambda request, n: [4, 2][:n])
        CallableSource(<lambda>)
    """

    def __init__(self, function: Callable[[Any, int], Any]) -> None:
        if not callable(function):
            raise InvalidArgument(f"function is {function!r} ({type(function).__name__}), expected something to call")
        self._name = getattr(function, "__name__", type(function).__name__)

        def propose(request: Any, n: int) -> Any:
            try:
                return _pair(function(request, n))
            except Exception as error:
                return f"it raised {type(error).__name__}: {error}"

        self._core = _segue._callable_source(propose)

    def __repr__(self) -> str:
        return f"CallableSource({self._name})"


AnySource = Union[NearestToVectors, NearestToSeeds, RankedList, CallableSource]


@dataclass(frozen=True)
class Source:
    """A source in its place among others.

    Args:
        name: What reports and provenance call it.
        source: NearestToVectors, NearestToSeeds, RankedList or CallableSource.
        weight: What its scores are multiplied by in a blend.
        share: Of the places, under blend="shares".

    Example:
        >>> import segue
        >>> segue.Source("popular", segue.RankedList([7, 3]), weight=0.3)
        Source(name='popular', source=RankedList(2 ids), weight=0.3, share=0.0)
    """

    name: str
    source: AnySource
    weight: float = 1.0
    share: float = 0.0


def an_index(index: Any, what: str) -> _segue.Index:
    if not isinstance(index, _segue.Index):
        raise InvalidArgument(f"{what} is a {type(index).__name__}, expected a segue.Index")
    return index


def _pair(proposed: Any) -> tuple[Any, Any]:
    # A tuple of two is ids and scores, unless it is two ids.
    if isinstance(proposed, tuple) and len(proposed) == 2 and not all(isinstance(part, Integral) for part in proposed):
        ids, scores = proposed
        return as_ids(ids, "the ids that it proposed"), None if scores is None else as_numbers(scores, "its scores")
    return as_ids(proposed, "the ids that it proposed"), None

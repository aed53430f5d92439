"""From a matrix to an index in one call."""

from __future__ import annotations

from typing import Any

from . import _segue
from ._errors import InvalidArgument
from ._progress import show

_DEFAULTS = {
    "m": 16,
    "ef_construction": 200,
    "storage": "auto",
    "rerank": "auto",
    "nlist": "auto",
    "seed": 0,
}
# Those that each kind has; "auto" may become a graph.
_OF_KIND = {
    "flat": ("storage",),
    "ivf": ("storage", "nlist", "rerank", "seed"),
    "hnsw": ("storage", "m", "ef_construction", "rerank", "seed"),
}


def build(
    vectors: Any,
    ids: Any = None,
    *,
    metric: str = "ip",
    kind: str = "auto",
    progress: Any = True,
    threads: int | None = None,
    **params: Any,
) -> _segue.Index:
    """Makes an index of a matrix.

    Args:
        vectors: Float array of shape (n, d). Anything of numpy, torch on the CPU, DLPack or
            the buffer protocol; float16, float32 or float64.
        ids: Integers of 0 or more, shape (n,); None: 0 to n - 1.
        metric: "ip" (inner product), "l2" (squared Euclidean distance) or "cosine".
        kind: "flat", "hnsw", "ivf", or "auto": flat up to 10,000 items, else hnsw.
        progress: True shows a bar, on a terminal (on stderr) or in a notebook, and nothing
            where neither is. A callable is called about ten times a second as
            progress(done, total) and stops the build by returning False.
        threads: At most so many; None: all. The index is the same for any number.
        **params: storage; for a graph m, ef_construction, rerank and seed, for lists nlist,
            rerank and seed: see `HnswIndex` and `IvfIndex`.

    Returns:
        FlatIndex, HnswIndex or IvfIndex.

    Raises:
        InvalidArgument: As the kind that is made and its `add`; a parameter that the kind does
            not have.
        Cancelled: The callable returned False.
        KeyboardInterrupt: Ctrl-C.

    Example:
        >>> import numpy as np, segue
        >>> x = np.random.default_rng(0).standard_normal((500, 8), dtype=np.float32)
        >>> index = segue.build(x, metric="l2", kind="hnsw", m=8, progress=False)
        >>> index.search(x[4], k=1).ids
        array([4])
    """
    known = _OF_KIND.get(kind, _OF_KIND["hnsw"])
    for name in params:
        if name not in known:
            raise InvalidArgument(f"build(kind={kind!r}) has no parameter {name}; known: {', '.join(known)}")
    chosen = {**_DEFAULTS, **params}
    with show(progress) as callback:
        return _segue._build(
            vectors,
            ids,
            metric,
            kind,
            chosen["m"],
            chosen["ef_construction"],
            chosen["storage"],
            chosen["rerank"],
            chosen["nlist"],
            chosen["seed"],
            threads,
            callback,
        )

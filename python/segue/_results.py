"""What searches and `segue.inspect` return: named tuples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class _SearchFields(NamedTuple):
    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]


class SearchResult(_SearchFields):
    """The k best items of each query, best first.

    Attributes:
        ids: int64 of shape (n, k), or (k,) for a single query; -1 where fewer were found.
        scores: float32 of the same shape; inf ("l2") or -inf where fewer were found.
        stats: None, or with `stats=True` a record array with one record a query: distances
            (scores computed), visited (vertices expanded or rows scanned), microseconds,
            cut (whether the deadline ended it).

    Example:
        >>> import numpy as np, segue
        >>> index = segue.FlatIndex(2)
        >>> index.add(np.eye(2, dtype=np.float32))
        >>> result = index.search(np.eye(2, dtype=np.float32), k=1, stats=True)
        >>> ids, scores = result
        >>> ids.shape, result.stats.cut.tolist()
        ((2, 1), [False, False])
    """

    stats: Any = None


class _RangeFields(NamedTuple):
    offsets: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]


class RangeResult(_RangeFields):
    """Every item at least as good as a threshold, query after query, best first.

    Attributes:
        offsets: int64 of shape (n + 1,): query i found ids[offsets[i]:offsets[i + 1]].
        ids: int64 of shape (offsets[-1],).
        scores: float32 of shape (offsets[-1],).
        stats: As in `SearchResult`.

    Example:
        >>> import numpy as np, segue
        >>> index = segue.FlatIndex(2)
        >>> index.add(np.eye(2, dtype=np.float32))
        >>> offsets, ids, scores = index.range_search(np.eye(2, dtype=np.float32), 0.5)
        >>> [ids[a:b].tolist() for a, b in zip(offsets, offsets[1:])]
        [[0], [1]]
    """

    stats: Any = None


class FileSection(NamedTuple):
    """One section of an index file: `bytes` bytes from `offset` on, with their checksum.

    Example:
        >>> import segue
        >>> segue.FileSection("vectors", 64, 4096, 0).name
        'vectors'
    """

    name: str
    offset: int
    bytes: int
    checksum: int


class FileInfo(NamedTuple):
    """What the header of an index file says.

    Attributes:
        format_version: Of the file format.
        kind: "flat" or "hnsw".
        metric: "ip", "l2" or "cosine".
        storage: "f32", "f16", "bf16", "sq8", "sq4", "pca8" or "rabitq1" to "rabitq8".
        dim: Numbers a vector.
        size: Items.
        bytes: Length of the file.
        sections: The section table.

    Example:
        >>> import os, tempfile, segue
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "empty.segue")
        ...     segue.FlatIndex(8, "l2").save(path)
        ...     info = segue.inspect(path)
        >>> info.kind, info.metric, info.dim, info.size
        ('flat', 'l2', 8, 0)
    """

    format_version: int
    kind: str
    metric: str
    storage: str
    dim: int
    size: int
    bytes: int
    sections: list[FileSection]


for _class in (SearchResult, RangeResult, FileSection, FileInfo):
    _class.__module__ = "segue"
del _class

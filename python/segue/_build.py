"""From a matrix, or a file of vectors, to an index in one call."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Optional, overload

from . import _segue, io
from ._errors import InvalidArgument
from ._files import Path
from ._progress import show
from ._sources import is_path, open_source

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


class Plan(NamedTuple):
    """What `segue.build` made, and why.

    Attributes:
        kind: "flat", "hnsw" or "ivf".
        parameters: Those of its constructor.
        memory: Bytes that the index takes, about; at most, where a storage chooses by the data.
        reasons: Sentences for people.

    Example:
        >>> import numpy as np, segue
        >>> x = np.random.default_rng(0).standard_normal((500, 8), dtype=np.float32)
        >>> index, plan = segue.build(x, metric="l2", progress=False, explain=True)
        >>> plan.kind, plan.reasons
        ('flat', ('500 items: a scan of their codes takes about what a walk does, and is exact',))
    """

    kind: str
    parameters: dict[str, Any]
    memory: int
    reasons: tuple[str, ...]


Plan.__module__ = "segue"


@overload
def build(
    vectors: Any,
    ids: Any = None,
    *,
    metric: str = "ip",
    kind: str = "auto",
    recall: float = 0.95,
    max_memory: int | None = None,
    progress: Any = True,
    threads: int | None = None,
    out: Optional[Path] = None,
    column: Optional[str] = None,
    explain: Literal[False] = False,
    **params: Any,
) -> _segue.Index: ...
@overload
def build(
    vectors: Any,
    ids: Any = None,
    *,
    metric: str = "ip",
    kind: str = "auto",
    recall: float = 0.95,
    max_memory: int | None = None,
    progress: Any = True,
    threads: int | None = None,
    out: Optional[Path] = None,
    column: Optional[str] = None,
    explain: Literal[True],
    **params: Any,
) -> tuple[_segue.Index, Plan]: ...
def build(
    vectors: Any,
    ids: Any = None,
    *,
    metric: str = "ip",
    kind: str = "auto",
    recall: float = 0.95,
    max_memory: int | None = None,
    progress: Any = True,
    threads: int | None = None,
    out: Optional[Path] = None,
    column: Optional[str] = None,
    explain: bool = False,
    **params: Any,
) -> Any:
    """Makes an index of a matrix, in memory or, with `out`, in a file.

    With `out` the index need not fit memory, nor need the vectors: inverted lists are written to
    that file in at most `max_memory`, byte for byte those that an `IvfIndex` of the same
    parameters would save, and come back mapped, so that searches read from the file what they
    visit. Takes about as long as in memory, O(n * sqrt(n) * d), and reads the vectors twice.

    Args:
        vectors: Float array of shape (n, d). Anything of numpy, torch on the CPU, DLPack or
            the buffer protocol; float16, float32 or float64. Or the path of a file that
            `segue.io.read_vectors` knows; with `out` it is read in pieces (.npy in C order).
        ids: Integers of 0 or more, shape (n,); None: 0 to n - 1.
        metric: "ip" (inner product), "l2" (squared Euclidean distance) or "cosine".
        kind: "flat", "hnsw", "ivf", or "auto": the kind that searches fastest at `recall` of
            those that fit `max_memory`. That is flat up to 10,000 items (30,000 where norms
            under "ip" differ much), then hnsw, and ivf where memory is short. With `out` it is
            ivf, and has to be.
        recall: The recall that searches will want, above 0 and at most 1; 1 means all.
        max_memory: Bytes that the index may take; None: no limit. Building takes more. With
            `out`: bytes that building may take, beside Python and pages of files; None: 1 GiB.
        progress: True shows a bar, on a terminal (on stderr) or in a notebook, and nothing
            where neither is. A callable is called about ten times a second as
            progress(done, total) and stops the build by returning False.
        threads: At most so many; None: all. The index is the same for any number.
        out: Where to write the index (str, bytes or os.PathLike); scratch files without a name
            lie in the same folder and take about as much again. A build that fails or is stopped
            leaves nothing there but what was there before.
        column: Of a .parquet file; None: the only one that holds lists.
        explain: True returns what was chosen and why beside the index.
        **params: storage; for a graph m, ef_construction, rerank and seed, for lists nlist,
            rerank and seed: see `HnswIndex` and `IvfIndex`.

    Returns:
        FlatIndex, HnswIndex or IvfIndex; with `explain` the pair (index, `Plan`).

    Raises:
        InvalidArgument: As the kind that is made and its `add`; a parameter that the kind does
            not have; a `max_memory` that nothing fits (it says what would).
        FileNotFound, CorruptFile, Unsupported: As `segue.io.read_vectors`, of a path.
        IoError: The operating system refused, for instance as the disk of `out` is full.
        Cancelled: The callable returned False.
        KeyboardInterrupt: Ctrl-C.

    Example:
        >>> import numpy as np, segue
        >>> x = np.random.default_rng(0).standard_normal((500, 8), dtype=np.float32)
        >>> index = segue.build(x, metric="l2", kind="hnsw", m=8, progress=False)
        >>> index.search(x[4], k=1).ids
        array([4])
        >>> import os, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "x.npy")
        ...     np.save(path, x)
        ...     out = os.path.join(folder, "x.segue")
        ...     lists = segue.build(path, metric="l2", out=out, max_memory=50_000_000, progress=False)
        ...     lists.search(x[4], k=1).ids
        array([4])
    """
    if out is not None:
        made = _build_file(vectors, ids, out, metric, kind, params, max_memory, progress, threads, column)
        return made if explain else made[0]
    if is_path(vectors) or column is not None:
        vectors = io.read_vectors(vectors, column=column)
    known = _OF_KIND.get(kind, _OF_KIND["hnsw"])
    for name in params:
        if name not in known:
            raise InvalidArgument(f"build(kind={kind!r}) has no parameter {name}; known: {', '.join(known)}")
    chosen = {**_DEFAULTS, **params}
    with show(progress) as callback:
        index, plan = _segue._build(
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
            recall,
            max_memory,
            threads,
            callback,
        )
    return (index, Plan(*plan)) if explain else index


def _build_file(
    vectors: Any,
    ids: Any,
    out: Path,
    metric: str,
    kind: str,
    params: dict[str, Any],
    max_memory: int | None,
    progress: Any,
    threads: int | None,
    column: Optional[str],
) -> tuple[_segue.Index, Plan]:
    if kind not in ("auto", "ivf"):
        raise InvalidArgument(f"kind is {kind!r} with out, which makes inverted lists; it must be 'ivf' or 'auto'")
    for name in params:
        if name not in _OF_KIND["ivf"]:
            raise InvalidArgument(f"build(out=...) has no parameter {name}; known: {', '.join(_OF_KIND['ivf'])}")
    chosen = {name: params.get(name, _DEFAULTS[name]) for name in ("nlist", "storage", "rerank", "seed")}
    with show(progress) as callback:
        index = _segue._build_file(
            open_source(vectors, column),
            ids,
            out,
            metric,
            chosen["storage"],
            chosen["rerank"],
            chosen["nlist"],
            chosen["seed"],
            max_memory,
            threads,
            callback,
        )
    reasons = (
        "an index in a file was asked for: inverted lists, which can be made piece by piece and searched where they lie",
    )
    return index, Plan("ivf", chosen, index.memory_usage(), reasons)

#pragma once
// Docstrings of Serving and ServingSnapshot.

namespace segue::python::docs {

inline constexpr char kServing[] = R"(Serving(source, *, mmap=True, verify=True, warm_up=True, warm_up_bytes_per_s=536870912, niceness=19, prepare=None)
--

Searches that go on while the index under them is replaced by a newer one.

`swap` opens the next index beside the one that serves, brings its pages in, checks it,
switches between two queries, and frees the old one when the last query in it has ended. A
query is answered by one snapshot from beginning to end; several calls that belong together
take `current` once. While a swap is under way both indexes are held.

Safe from any number of threads; searches never wait for a swap.

Args:
    source: The path of an index file, or an Index, which nobody changes from now on.
    mmap: As in `segue.load`.
    verify: As in `segue.load`.
    warm_up: Bring the pages of a mapped file in before the switch; without it the first
        queries wait for the disk.
    warm_up_bytes_per_s: At most so many bytes of it a second; None: as fast as they come.
    niceness: How far the thread that opens an index stands back behind those that search,
        0 (not at all) to 19, or 20: it takes only what nobody else wants.
    prepare: Called with each Index before it serves, in the thread that calls swap: to ask
        it what fills caches, to check its answers, and to make what belongs to it alone,
        such as a CandidateGenerator. What it returns is `ServingSnapshot.prepared`; what
        it raises refuses the index and comes out of `swap`.

Raises:
    FileNotFound, IoError, CorruptFile: As in `segue.load`.
    InvalidArgument: A niceness outside its range.

Example:
    >>> import numpy as np, segue
    >>> tracks = np.eye(4, dtype=np.float32)
    >>> segue.build(tracks, metric="ip", progress=False).save("monday.segue")
    >>> segue.build(2 * tracks, metric="ip", progress=False).save("tuesday.segue")
    >>> serving = segue.Serving("monday.segue")
    >>> serving.search([0.0, 0.0, 3.0, 1.0], k=1).scores
    array([3.], dtype=float32)
    >>> serving.swap("tuesday.segue")
    2
    >>> serving.search([0.0, 0.0, 3.0, 1.0], k=1).scores
    array([6.], dtype=float32)
)";

inline constexpr char kServingInit[] =
    "__init__(self, source, *, mmap=True, verify=True, warm_up=True, warm_up_bytes_per_s=536870912, niceness=19, "
    "prepare=None)\n--\n\nSee the class.";

inline constexpr char kSwap[] = R"(swap(self, source)
--

Puts another index in place of the one that serves.

Returns when the last search in the old one has ended, and it is freed unless somebody
holds it. Swaps run one after the other. One that fails has changed nothing.

Args:
    source: The path of an index file, or an Index. Its dimension may be another; queries
        made for the old one are then an error, so who makes queries with a model holds
        `current` from the query's making to its answer.

Returns:
    int: the generation that serves from now on.

Raises:
    FileNotFound, IoError, CorruptFile: As in `segue.load`.
    InvalidArgument: Another metric, as scores would change their meaning.

Example:
    >>> import numpy as np, segue
    >>> serving = segue.Serving(segue.FlatIndex(4))
    >>> serving.swap(segue.build(np.eye(4, dtype=np.float32), metric="ip", progress=False))
    2
)";

inline constexpr char kCurrent[] = R"(current(self)
--

The snapshot that serves now, to hold for several calls that belong together.

Returns:
    ServingSnapshot: its index stays as long as it or its index is held.

Example:
    >>> import numpy as np, segue
    >>> tracks = np.eye(4, dtype=np.float32)
    >>> serving = segue.Serving(segue.build(tracks, metric="ip", progress=False))
    >>> index = serving.current().index
    >>> found = index.search([1.0, 2.0, 3.0, 0.0], k=2)
    >>> index.get(found.ids)    # of the same snapshot, whatever was swapped meanwhile
    array([[0., 0., 1., 0.],
           [0., 1., 0., 0.]], dtype=float32)
)";

inline constexpr char kServingSearch[] = R"(search($self, queries, k=10, *, ef=None, nprobe=None, recall=None, filter=None, exclude=None, deadline_us=None, threads=None, stats=False)
--

As `Index.search`, in the snapshot that serves when the call begins.

Args:
    queries: As there.
    k: As there.
    ef: As there.
    nprobe: As there.
    recall: As there, by that snapshot's curve.
    filter: As there; an expression is about the catalog of that snapshot.
    exclude: As there.
    deadline_us: As there.
    threads: As there.
    stats: As there.

Returns:
    SearchResult(ids, scores).

Raises:
    InvalidArgument: As there; also where queries were made for a snapshot of another
        dimension that served a moment ago.

Example:
    >>> import numpy as np, segue
    >>> tracks = np.eye(4, dtype=np.float32)
    >>> serving = segue.Serving(segue.build(tracks, metric="ip", progress=False))
    >>> serving.search([1.0, 2.0, 3.0, 0.0], k=2).ids
    array([2, 1])
)";

inline constexpr char kServingRangeSearch[] = R"(range_search(self, queries, threshold, *, ef=None, nprobe=None, recall=None, filter=None, exclude=None, deadline_us=None, threads=None, stats=False)
--

As `Index.range_search`, in the snapshot that serves when the call begins.

Args:
    queries: As there.
    threshold: As there.
    ef: As there.
    nprobe: As there.
    recall: As there.
    filter: As there; an expression is about the catalog of that snapshot.
    exclude: As there.
    deadline_us: As there.
    threads: As there.
    stats: As there.

Returns:
    RangeResult(offsets, ids, scores).

Raises:
    InvalidArgument: As there, and as in `search`.

Example:
    >>> import numpy as np, segue
    >>> tracks = np.eye(4, dtype=np.float32)
    >>> serving = segue.Serving(segue.build(tracks, metric="ip", progress=False))
    >>> serving.range_search([1.0, 2.0, 3.0, 0.0], 2.0).ids
    array([2, 1])
)";

inline constexpr char kServingGeneration[] = "int: of the snapshot that serves now: 1 for the first, one more with each swap.";
inline constexpr char kServingPath[] = "str: the file that serves now; None for an index that was given.";
inline constexpr char kServingLoadedAt[] = "datetime.datetime: since when the snapshot serves that serves now, in UTC.";
inline constexpr char kServingMetric[] = "str: \"ip\", \"l2\" or \"cosine\", of all its snapshots.";
inline constexpr char kServingHeld[] =
    "int: snapshots in memory: the one that serves, and old ones that somebody holds or that are\nbeing freed.";

inline constexpr char kServingSnapshot[] = R"(An index that serves, or served; what `Serving.current` returns.

It stays in memory as long as it or its index is held; a thread of the Serving frees it.

Example:
    >>> import segue
    >>> segue.Serving(segue.FlatIndex(4)).current()
    ServingSnapshot(generation=1, path=None)
)";
inline constexpr char kSnapshotIndex[] =
    "Index: for searches and all else that reads. Whoever changes it changes what everybody is served.";
inline constexpr char kSnapshotPrepared[] = "What the `prepare` of the Serving returned for it; None without one.";
inline constexpr char kSnapshotGeneration[] = "int: 1 for the first of a Serving, one more with each swap.";
inline constexpr char kSnapshotPath[] = "str: its file; None for an index that was given.";
inline constexpr char kSnapshotLoadedAt[] = "datetime.datetime: when it began to serve, in UTC.";

}  // namespace segue::python::docs

#pragma once
// Docstrings of Index and its kinds.

namespace segue::python::docs {

inline constexpr char kIndex[] = R"(What every index can do: hold vectors under ids, and find those nearest to a query.

Make a FlatIndex, an HnswIndex or an IvfIndex, or let `segue.build` choose. Any number of
threads may search an index at the same time; calls that change it wait for the searches
under way. A call that fails has changed nothing.
)";

inline constexpr char kFlatIndex[] = R"(FlatIndex(dim, metric="ip", storage="auto")
--

Exact search: every item is looked at.

Choose it up to some hundred thousand items, for ground truth, and wherever every answer
must be right. Adding and removing cost nothing but the copy. Batches of queries are
several times faster a query than single calls.

Args:
    dim: Numbers a vector, 1 to 65,536.
    metric: "ip" (inner product), "l2" (squared Euclidean distance) or "cosine".
    storage: How vectors are kept: "f32" (4 bytes a number), "f16" or "bf16" (2), "sq8"
        (1), "sq4" (1/2). Smaller is rounded; the search is exact over the rounded vectors.
        "auto" is "f32".

Raises:
    InvalidArgument: dim out of its range, an unknown metric or storage.

Example:
    >>> import numpy as np, segue
    >>> index = segue.FlatIndex(4, "cosine")
    >>> index.add(np.eye(4, dtype=np.float32))
    >>> index.search(np.array([0, 0, 2, 1], np.float32), k=2).ids
    array([2, 3])
)";

inline constexpr char kFlatIndexInit[] =
    "__init__(self, dim, metric='ip', storage='auto')\n--\n\nSee the class.";

inline constexpr char kHnswIndex[] = R"(HnswIndex(dim, metric="ip", *, m=16, ef_construction=200, storage="auto", rerank="auto", seed=0)
--

Approximate search on a layered graph of neighbours (HNSW).

Choose it when looking at every item is too slow: a query looks at some hundreds to
thousands of items, however many there are. Recall, the share of the true best that is
found, is chosen for each search with `ef`.

Args:
    dim: Numbers a vector, 1 to 65,536.
    metric: "ip" (inner product), "l2" (squared Euclidean distance) or "cosine".
    m: Links a vector on the upper levels, twice as many on the lowest, 2 to 256. More
        finds more at equal `ef`; memory grows by 8 * m bytes an item, and building and
        searching take longer. 8 to 48 is usual: the more dimensions, the more.
    ef_construction: Candidates looked at when a vector is added, 1 to 65,536. More makes
        a better graph; building takes time in proportion. Searches do not.
    storage: What the walk reads: "f32", "f16", "bf16", "sq8", "sq4", or "pca8": 8-bit codes of
        the few leading principal coordinates (under l2 and cosine). "auto" is "f32" for a few
        thousand vectors and for inner product, from then on "pca8" with a finer copy that
        decides; `index.storage` says which it is now.
    rerank: A finer copy that decides among what the walk found, and that `get` returns:
        a storage finer than `storage`. With "pca8", "sq8" codes what the leading coordinates
        leave over: finer than "f16" at half the memory. "auto": none, unless `storage` is
        "auto" too.
    seed: Of the random levels, 0 to 2**64 - 1. The same input, seed and order of calls
        give the same index, on any number of threads.

Raises:
    InvalidArgument: A parameter out of its range, an unknown metric or storage, a rerank
        that is not finer than storage.

Example:
    >>> import numpy as np, segue
    >>> x = np.random.default_rng(1).standard_normal((1000, 16), dtype=np.float32)
    >>> index = segue.HnswIndex(16, "l2", m=16)
    >>> index.add(x)
    >>> index.search(x[:3], k=1, ef=50).ids.ravel()
    array([0, 1, 2])
)";

inline constexpr char kHnswIndexInit[] =
    "__init__(self, dim, metric='ip', *, m=16, ef_construction=200, storage='auto', rerank='auto', seed=0)\n--\n\n"
    "See the class.";

inline constexpr char kIvfIndex[] = R"(IvfIndex(dim, metric="ip", *, nlist="auto", storage="auto", rerank="auto", seed=0)
--

Approximate search by inverted lists: k-means divides the items into lists, and a query
scans those that promise most.

Choose it for large batches, quick builds and items that change often. A batch visits each
list once for all of its queries. How many lists a query scans is chosen for each search
with `nprobe`; of the items in them the answers are the true best, and with
`nprobe=index.nlist` the search is exact, up to how vectors are kept. Nothing that was
removed stays to be scanned.

The first `add` trains on what it brings; or call `train` with a sample before.

Args:
    dim: Numbers a vector, 1 to 65,536.
    metric: "ip" (inner product), "l2" (squared Euclidean distance) or "cosine".
    nlist: Lists, 1 to 2**20, or "auto": four times the square root of the number of items
        that they are trained on; an index that grows to four times as many is then
        trained anew by the `add` that takes it there.
    storage: What decides among what the lists' 8-bit codes leave, and what `get` returns:
        vectors as "f32" (4 bytes a number), "f16" or "bf16" (2), "sq8" (1), "sq4" (1/2); or,
        with "pca8", nothing but those codes, in the leading principal directions; or, with
        "rabitq1" to "rabitq8", codes of as many bits a dimension on average: RaBitQ codes
        where all directions are alike, else more bits for those that matter. "auto" is
        "pca8" with `rerank`, or "f32" where there are at most 16 dimensions.
    rerank: With "pca8" or "rabitq1" to "rabitq8", "sq8" keeps what the codes leave over, in
        memory or in the mapped file: with "pca8" finer than "f16" at half its memory; "sq4"
        in four bits, which is as fine as "f16" where codes of eight bits have all
        directions. "auto": nothing, unless `storage` is "auto" too: then "sq4" there and
        "sq8" elsewhere. An index without it cannot be trained anew.
    seed: Of the training, 0 to 2**64 - 1. The same input, seed and order of calls give the
        same index, on any number of threads.

Raises:
    InvalidArgument: A parameter out of its range, an unknown metric or storage.

Example:
    >>> import numpy as np, segue
    >>> x = np.random.default_rng(1).standard_normal((1000, 16), dtype=np.float32)
    >>> index = segue.IvfIndex(16, "l2")
    >>> index.add(x)
    >>> index.search(x[:3], k=1, nprobe=8).ids.ravel()
    array([0, 1, 2])
)";

inline constexpr char kIvfIndexInit[] =
    "__init__(self, dim, metric='ip', *, nlist='auto', storage='auto', rerank='auto', seed=0)\n--\n\nSee the class.";

inline constexpr char kTrain[] = R"(train(self, sample, *, centroids=None, threads=None)
--

Chooses the lists by a sample of what will be added; items that are there are dealt out anew.

Without it the first `add` trains on what it brings. Train again when the items have become
others than those that the lists were made for.

Args:
    sample: Float array of shape (n, dim), some tens of rows a list; of more than 64 a list
        so many are used. As `vectors` in `add`.
    centroids: Float array of shape (n, dim): a list around each, and no k-means. For centres
        that several indexes share, and those of other libraries. Items join the nearest by
        l2, whatever the metric, and the lists stay, whatever the index grows to. The sample
        then says which directions codes keep; with no rows in it they keep all.
    threads: As in `add`.

Raises:
    InvalidArgument: Fewer rows than lists, or another number of centroids than the nlist
        that was asked for; what `add` says of vectors.
    Unsupported: There are items of which only codes are kept.
    KeyboardInterrupt: Ctrl-C; the index is as it was.

Example:
    >>> import numpy as np, segue
    >>> x = np.random.default_rng(1).standard_normal((1000, 16), dtype=np.float32)
    >>> index = segue.IvfIndex(16, "l2", nlist=20)
    >>> index.train(x)
    >>> len(index), index.nlist
    (0, 20)
    >>> other = segue.IvfIndex(16, "l2")
    >>> other.train(x, centroids=index.centroids())
    >>> other.nlist
    20
)";

inline constexpr char kCentroids[] = R"(centroids(self)
--

The centres of the lists; under cosine of normalised vectors.

Returns:
    Array of shape (nlist, dim), a copy; empty before the index is trained.

Example:
    >>> import numpy as np, segue
    >>> index = segue.IvfIndex(16, "l2", nlist=20)
    >>> index.add(np.random.default_rng(1).standard_normal((1000, 16), dtype=np.float32))
    >>> index.centroids().shape
    (20, 16)
)";

inline constexpr char kAdd[] = R"(add(self, vectors, ids=None, *, threads=None)
--

Adds vectors: all, or on an error none.

Args:
    vectors: Float array of shape (n, dim), or (dim,) for one. Anything of numpy, torch on
        the CPU, DLPack or the buffer protocol; float16, float32 or float64. C-contiguous
        float32 is read where it lies; the index keeps its own copy.
    ids: Integers of 0 or more, shape (n,). None: the next free ones, from one past the
        largest id ever used, up to 2**63 - 2.
    threads: At most so many; None: all. The index is the same for any number.

Raises:
    InvalidArgument: Another dimension or dtype, NaN or infinity (the row is named), a
        zero vector under "cosine", negative or repeated ids.
    AlreadyExists: An id is in the index; `upsert` replaces.
    KeyboardInterrupt: Ctrl-C; nothing was added.

Example:
    >>> import numpy as np, segue
    >>> index = segue.FlatIndex(2)
    >>> index.add(np.ones((3, 2), np.float32))
    >>> index.add(np.zeros(2, np.float32), ids=[100])
    >>> index.ids()
    array([  0,   1,   2, 100])
)";

inline constexpr char kUpsert[] = R"(upsert(self, vectors, ids, *, threads=None)
--

Adds vectors, replacing those whose ids are in the index: all, or on an error none.

Args:
    vectors: As in `add`.
    ids: Integers of 0 or more, shape (n,), none twice.
    threads: As in `add`.

Raises:
    InvalidArgument, KeyboardInterrupt: As in `add`.

Example:
    >>> import numpy as np, segue
    >>> index = segue.FlatIndex(2)
    >>> index.add(np.ones((2, 2), np.float32))
    >>> index.upsert(np.array([[3, 4], [5, 6]], np.float32), ids=[1, 2])
    >>> index.get([1])
    array([[3., 4.]], dtype=float32)
)";

inline constexpr char kRemove[] = R"(remove(self, ids)
--

Removes the items that are there; others are ignored.

Args:
    ids: Integers, shape (n,), or one integer.

Returns:
    int: how many there were.

Raises:
    InvalidArgument: What is no integer.

Example:
    >>> import numpy as np, segue
    >>> index = segue.FlatIndex(2)
    >>> index.add(np.ones((3, 2), np.float32))
    >>> index.remove([1, 77])
    1
    >>> len(index)
    2
)";

inline constexpr char kGet[] = R"(get(self, ids)
--

The vectors as they are stored: normalised under "cosine", rounded by the storage.

Args:
    ids: Integers, shape (n,), or one integer.

Returns:
    float32 array of shape (n, dim), or (dim,) for one integer.

Raises:
    NotFound: Names the first id that is not in the index.
    InvalidArgument: What is no integer.

Example:
    >>> import numpy as np, segue
    >>> index = segue.FlatIndex(2, "cosine")
    >>> index.add(np.array([[3, 4]], np.float32))
    >>> index.get(0)
    array([0.6, 0.8], dtype=float32)
)";

inline constexpr char kIds[] = R"(ids(self)
--

All ids.

Returns:
    int64 array of shape (len(index),), ascending.

Example:
    >>> import numpy as np, segue
    >>> index = segue.FlatIndex(2)
    >>> index.add(np.ones((2, 2), np.float32), ids=[9, 4])
    >>> index.ids()
    array([4, 9])
)";

inline constexpr char kMemoryUsage[] = R"(memory_usage(self)
--

Bytes held, mapped files included.

Returns:
    int.

Example:
    >>> import numpy as np, segue
    >>> index = segue.FlatIndex(256)
    >>> index.add(np.ones((1000, 256), np.float32))
    >>> index.memory_usage() >= 1000 * 256 * 4
    True
)";

inline constexpr char kStats[] = R"(stats(self)
--

Named figures about the index, for people and dashboards.

Returns:
    dict of str to float. The names depend on the kind of the index.

Example:
    >>> import segue
    >>> isinstance(segue.FlatIndex(8).stats(), dict)
    True
)";

inline constexpr char kValidate[] = R"(validate(self)
--

Checks every invariant of the structure, in time proportional to the size.

For tests and for files of doubtful origin; returns None if all is well.

Raises:
    Error: Of the kind that fits, with what is wrong.

Example:
    >>> import segue
    >>> segue.FlatIndex(8).validate()
)";

inline constexpr char kSave[] = R"(save(self, path)
--

Writes the index to a file, which `segue.load` opens.

The file appears whole or not at all: what was there before stays until the new content
is on the disk.

Args:
    path: str, bytes or os.PathLike.

Raises:
    IoError: The operating system refused; the message names the call.
    InvalidArgument: What is no path.

Example:
    >>> import os, tempfile, numpy as np, segue
    >>> index = segue.FlatIndex(2)
    >>> index.add(np.ones((3, 2), np.float32))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "three.segue")
    ...     index.save(path)
    ...     len(segue.load(path))
    3
)";

inline constexpr char kDim[] = "int: numbers a vector.";
inline constexpr char kMetric[] = "str: \"ip\", \"l2\" or \"cosine\".";
inline constexpr char kStorage[] = "str: how vectors are kept: \"f32\", \"f16\", \"bf16\", \"sq8\", \"sq4\", \"pca8\" or \"rabitq1\" to \"rabitq8\".";
inline constexpr char kM[] = "int: links a vector on the upper levels; twice as many on the lowest.";
inline constexpr char kEfConstruction[] = "int: candidates looked at when a vector is added.";
inline constexpr char kRerank[] = "str: the finer copy that decides among what the walk found; \"auto\": none.";
inline constexpr char kSeed[] = "int: of the random levels.";
inline constexpr char kNlist[] = "int: lists; 0 before it is trained.";
inline constexpr char kDefaultNprobe[] = "int: the nprobe of a search that names none.";
inline constexpr char kIvfSeed[] = "int: of the training.";
inline constexpr char kDefaultEf[] = "int: the ef of a search that names none.";

}  // namespace segue::python::docs

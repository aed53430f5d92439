#pragma once
// Docstrings of search() and range_search().

namespace segue::python::docs {

inline constexpr char kSearch[] = R"(search($self, queries, k=10, *, ef=None, nprobe=None, recall=None, filter=None, exclude=None, deadline_us=None, threads=None, stats=False)
--

The k best items of each query.

Recall is the share of the true k best that a search finds. A FlatIndex finds all of
them; on an HnswIndex `ef` buys recall with time, on an IvfIndex `nprobe`. `segue.tune`
measures how much of it takes how much, and then `recall=0.95` chooses it by itself.

Args:
    queries: Float array of shape (n, dim), or (dim,) for a single query. Anything of
        numpy, torch on the CPU, DLPack or the buffer protocol; float16, float32 or
        float64. C-contiguous float32 is not copied.
    k: How many items to find for each query, 1 or more.
    ef: HnswIndex only: how many candidates the walk keeps. At least k is used. Time grows
        nearly in step with it. Default: 64.
    nprobe: IvfIndex only: how many lists are scanned; more, where those hold fewer than k
        that may be found. Default: all of at most 256 lists; of more a 64th, at least 8.
    recall: The share of the true k best to be found, above 0 and at most 1, by the curve
        that `segue.tune` measured for this k or, without one, for the next larger; not
        together with `ef` or `nprobe`. The curve is of searches without filter, exclude and
        deadline. A FlatIndex accepts it and finds all.
    filter: What may be found: a segue.IdSet, a boolean array in which entry i says whether
        id i may, or an expression over the columns of `index.catalog`, or its text.
    exclude: Ids that may not be found. One array of integers for all queries, or a list
        with one array a query. Ids that are not in the index do no harm.
    deadline_us: Microseconds that each query may take. What was best until then is
        returned; `stats=True` tells which queries were cut.
    threads: At most so many threads for a batch; None: all. A single query uses one.
    stats: True adds what each query cost, as `.stats` of the result.

Returns:
    SearchResult(ids, scores): int64 and float32 arrays of shape (n, k), or (k,) for a
    single query; best first, equal scores by id. Scores are squared distances under "l2"
    and similarities under "ip" and "cosine". Where fewer than k were found, ids are -1
    and scores inf ("l2") or -inf. `.stats` is None, or a record array with the fields
    distances, visited, microseconds and cut, one record a query.

Raises:
    InvalidArgument: queries of another dimension or dtype or with NaN or infinity, a zero
        query under "cosine", k below 1, exclude of another length than queries; a recall
        without a curve for k (call `segue.tune` first), or above what it reaches.

Any number of threads may search at the same time; other Python threads run meanwhile.

Example:
    >>> import numpy as np, segue
    >>> index = segue.FlatIndex(2, "l2")
    >>> index.add(np.array([[0, 0], [1, 0], [5, 5]], np.float32))
    >>> ids, scores = index.search(np.array([0.9, 0], np.float32), k=2)
    >>> ids
    array([1, 0])
    >>> index.search(np.zeros((1, 2), np.float32), k=2, exclude=[0]).ids
    array([[1, 2]])
)";

inline constexpr char kRangeSearch[] = R"(range_search(self, queries, threshold, *, ef=None, nprobe=None, recall=None, filter=None, exclude=None, deadline_us=None, threads=None, stats=False)
--

Every item at least as good as a threshold.

Args:
    queries: As in `search`.
    threshold: A score: items of at most this squared distance ("l2"), or of at least this
        similarity ("ip", "cosine").
    ef, nprobe, filter, exclude, deadline_us, threads, stats: As in `search`.
    recall: A FlatIndex accepts it. An HnswIndex cannot promise one here, because its curve
        is of the k best; pass `ef`.

Returns:
    RangeResult(offsets, ids, scores): what was found for query i is
    ids[offsets[i]:offsets[i + 1]], best first. offsets is int64 of shape (n + 1,), ids
    int64 and scores float32. Exact on a FlatIndex; on a graph, what a walk of width `ef`,
    widened as long as it pays, finds.

Raises:
    InvalidArgument: As in `search`; a threshold that is not a number.
    Unsupported: recall was given to an HnswIndex.

Example:
    >>> import numpy as np, segue
    >>> index = segue.FlatIndex(2, "l2")
    >>> index.add(np.array([[0, 0], [1, 0], [5, 5]], np.float32))
    >>> found = index.range_search(np.zeros(2, np.float32), threshold=1.0)
    >>> found.ids
    array([0, 1])
    >>> found.offsets
    array([0, 2])
)";

}  // namespace segue::python::docs

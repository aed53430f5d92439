#pragma once
// Docstrings of Metrics.

namespace segue::python::docs {

inline constexpr char kMetrics[] =
    R"(Metrics(*, labels=None, latency_bounds=None, shadow_rate=0.0, shadow_seed=0, shadow_queue=64, shadow_load=0.1)
--

What indexes do, counted and timed, for dashboards and alarms.

Attach one to an index, a LiveIndex or a Serving by `index.metrics = metrics`; several may
share one. Counters only rise, whatever is attached, detached or swapped meanwhile. It costs
a search some 0.2 microseconds; an index without metrics pays nothing that can be measured.

Shadow queries estimate the recall that is served: a share of the queries is answered a
second time by a scan of all that the index holds, with the same filter, exclusions and k, in
a thread of its own that nobody waits for.

Args:
    labels: A dict of names and values that go on every line of `prometheus`.
    latency_bounds: The buckets of `prometheus`, in seconds, ascending. None: powers of two
        from 8 microseconds to 17 seconds.
    shadow_rate: The share of queries that are answered twice, 0 to 1. 0: none.
    shadow_seed: Of the choice.
    shadow_queue: How many of them may wait, 1 to 65,536; more are dropped.
    shadow_load: The share of a core that the scans may take, above 0 to 1.

Raises:
    InvalidArgument: A label or a number outside what it may be.

Example:
    >>> import numpy as np, segue
    >>> index = segue.build(np.eye(4, dtype=np.float32), metric="ip", progress=False)
    >>> index.metrics = segue.Metrics(labels={"index": "tracks"})
    >>> _ = index.search(np.eye(4, dtype=np.float32), k=2)
    >>> index.metrics.snapshot()["search"]["items"]
    4
)";

inline constexpr char kMetricsInit[] =
    "__init__(self, *, labels=None, latency_bounds=None, shadow_rate=0.0, shadow_seed=0, shadow_queue=64, "
    "shadow_load=0.1)\n--\n\nSee the class.";

inline constexpr char kMetricsSnapshot[] = R"(snapshot(self)
--

All figures as they are now.

Returns:
    dict: For each of "search", "range_search", "add", "upsert", "remove", "snapshot" (of a
    LiveIndex) and "swap" (of a Serving) a dict of "calls" that succeeded, "errors", "items"
    (queries, vectors, bytes of snapshots) and "latency": "count", "seconds" of all together,
    and "p50", "p90", "p99", "p999" in seconds, right to within 1/32. "distances", "visited"
    and "cut" (by a deadline) of all queries. "recall": what shadow queries say, "recall" with
    "low" and "high" as its 95 % interval, and how many were "sampled", "measured", "dropped",
    "skipped", answers "wanted" and "found". What is attached holds "indexes", "items",
    "memory" in bytes, "live" (None, or "journal_lag" in changes, "journal_bytes",
    "snapshot_age" in seconds) and "serving" (None, or "generation", "held", "age").

Example:
    >>> import segue
    >>> index = segue.FlatIndex(2)
    >>> index.metrics = segue.Metrics()
    >>> index.add([[1.0, 0.0], [0.0, 1.0]])
    >>> now = index.metrics.snapshot()
    >>> now["add"]["items"], now["items"], now["search"]["calls"], now["live"]
    (2, 2, 0, None)
)";

inline constexpr char kMetricsPrometheus[] = R"(prometheus(self)
--

The same as a page of Prometheus's text format (version 0.0.4).

Returns:
    str: to be served as "text/plain; version=0.0.4"; docs/observability.md shows how.

Example:
    >>> import segue
    >>> metrics = segue.Metrics(labels={"index": "tracks"})
    >>> [line for line in metrics.prometheus().splitlines() if "segue_items" in line][-1]
    'segue_items{index="tracks"} 0'
)";

inline constexpr char kIndexMetrics[] = R"(Where searches and changes are counted: a segue.Metrics, or None. It may be set at any time.)";

inline constexpr char kServingMetrics[] =
    R"(Where searches and swaps are counted: a segue.Metrics, or None. Every index that serves gets it.)";

}  // namespace segue::python::docs

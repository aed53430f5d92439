#pragma once
// Docstrings of IdSet.

namespace segue::python::docs {

inline constexpr char kIdSet[] = R"(IdSet(ids=())
--

A compressed set of ids, for `filter`.

Build it once (a market, an age limit) and share it between requests and threads; it never
changes. `~a` is every id but those of a and costs nothing, `a & b` and `a | b` take time
in proportion to both. len() is the number of ids listed: of a complement, those left out.

Args:
    ids: Integers of 0 or more: an array, or any iterable. Any order, repeats allowed.

Raises:
    InvalidArgument: A negative id, or what is no integer.

Example:
    >>> import segue
    >>> in_sweden = segue.IdSet([1, 2, 3, 8])
    >>> explicit = segue.IdSet([3])
    >>> in_sweden & ~explicit
    IdSet(3 ids: 1, 2, 8)
    >>> 3 in in_sweden & ~explicit
    False
)";

inline constexpr char kIdSetInit[] = "__init__(self, ids=())\n--\n\nSee the class.";

inline constexpr char kIdSetFromMask[] = R"(from_mask(mask)
--

The set of every i for which mask[i] is true.

Args:
    mask: Boolean array of shape (n,). Ids of n and more are not in the set.

Returns:
    IdSet.

Raises:
    InvalidArgument: Another dtype or shape.

Example:
    >>> import numpy as np, segue
    >>> segue.IdSet.from_mask(np.array([True, False, True]))
    IdSet(2 ids: 0, 2)
)";

inline constexpr char kIdSetIds[] = R"(ids(self)
--

The ids listed; of a complement, those left out.

Returns:
    int64 array of shape (len(self),), ascending.

Example:
    >>> import segue
    >>> (~segue.IdSet([7, 5])).ids()
    array([5, 7])
)";

inline constexpr char kIdSetIsComplement[] = "True if the set holds every id but those listed.";

inline constexpr char kIdSetMemoryUsage[] = R"(memory_usage(self)
--

Bytes held.

Returns:
    int. At most 2 bytes an id and a few bytes for every 65,536 ids of the range in use.

Example:
    >>> import segue
    >>> segue.IdSet(range(100_000)).memory_usage() < 100_000
    True
)";

}  // namespace segue::python::docs

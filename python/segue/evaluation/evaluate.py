"""From lists and what was relevant to an Evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Union

from .arguments import (
    check_bootstrap,
    read_depths,
    read_items,
    read_labels,
    read_popularity,
    read_recommended,
    read_relevant,
)
from .bootstrap import Resampling
from .evaluation import Evaluation
from .score import Inputs, score


def evaluate(
    recommended: Any,
    relevant: Any,
    *,
    k: Union[int, Iterable[int]] = (10, 50),
    gains: Any = None,
    items: Any = None,
    popularity: Any = None,
    index: Any = None,
    groups: Any = None,
    users: Any = None,
    bootstrap: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """Measures lists against what users took: accuracy, breadth, popularity, with intervals.

    A user's list is L, the first k places of it L_k, and R what was relevant. With every k:

    - recall: |L_k and R| / |R|. precision: |L_k and R| / k, whatever the list's length.
      hit-rate: whether L_k and R share an item.
    - ndcg: the sum of gain / log2(place + 1) over L_k, divided by that of the best possible
      list (Järvelin & Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques, with
      the discount of one place further). Gains enter as they are: pass 2**grade - 1 where
      grades should count so.
    - mrr: 1 / place of the first of R in L_k, else 0. map: mean over R, at most k of it, of
      the precision at each place of R in L_k (average precision).
    - coverage: distinct items in all L_k / items (Ge et al. 2010, Beyond accuracy). gini: of how
      often each of the items is in an L_k; 0 is even, towards 1 few take all (Fleder & Hosanagar
      2009, Blockbuster culture's next rise or fall). Both need `items` (or an index). They are
      no means over users, and resampling users is biased for them, as a draw misses a third of
      the users: they have no interval.
    - novelty: mean over L_k of -log2 p, p the item's share of everything that was taken
      (Vargas & Castells 2011, Rank and relevance in novelty and diversity metrics). An item
      that nobody took counts like the rarest.
    - popularity: mean over L_k of the item's place in the catalogue by popularity: 0 the least
      popular, 1 the most, 0.5 the average. popularity-lift: that minus the same of R: above 0
      where people get more popular items than they take (popularity bias, as Abdollahpouri
      et al. 2019 compare profiles and lists).
    - diversity: 1 - mean cosine over the pairs of L_k (intra-list, Ziegler et al. 2005,
      Improving recommendation lists through topic diversification). Needs `index`.

    Users with an empty R have none of the measures that R is part of: they are left out of
    these means and counted in `without_relevant`. An empty list of a user with R scores 0.

    Intervals are percentiles of means over users drawn with replacement (Efron 1979). A million
    users with 50 places take some ten seconds, twice that with vectors of 64 numbers, and some
    20 bytes a place beside the lists. docs/evaluation.md has more about all of it.

    Args:
        recommended: What was recommended, best first: integers of shape (n, k or more), -1 for
            an empty place; or a `SearchResult`; or a list with one list a user.
        relevant: What each user took: `UserItems`, a list with one array of ids a user, the
            pair (offsets, ids) or with gains (offsets, ids, gains), or a scipy.sparse CSR
            matrix. Repeated items count once, with their largest gain.
        k: The depths to measure at: an integer or several.
        gains: What each of `relevant` is worth, in its shape, 0 or more (0 is not relevant);
            None: 1, or those that `relevant` brings. Only ndcg looks at how much.
        items: The catalogue: how many items there are (ids 0 to n - 1), or their ids, or a
            `Catalog` or `Index`. None: those of `index`, if there is one.
        popularity: How often each item was taken before: an array indexed by id, the pair
            (ids, counts), a mapping, or `UserItems` (of which users are counted).
        index: The index that has a vector for whatever is recommended, or a float matrix with
            a row an id.
        groups: A label a user: everything is also measured a group.
        users: Which user each row belongs to, where some have several; rows of one user are
            drawn together. None: each row is a user.
        bootstrap: How many draws; 0 for no intervals.
        confidence: Of the intervals.
        seed: Of the draws.

    Returns:
        Evaluation.

    Raises:
        InvalidArgument: Shapes that do not fit, an item twice in a list, an id that is not
            among `items`, k beyond the columns; the message has the row.
        NotFound: An id that `index` does not have.

    Example:
        >>> import segue
        >>> found = segue.evaluate([[4, 2, 7], [1, 2, 3]], [[2, 9], [1]], k=(1, 3), items=10)
        >>> found["recall@3"].value, found["mrr@3"].value, found["coverage@3"].value
        (0.75, 0.75, 0.5)
    """
    depths = read_depths(k)
    check_bootstrap(bootstrap, confidence, seed)
    lists = read_recommended(recommended, depths[-1])
    taken = read_relevant(relevant, gains, len(lists))
    inputs = Inputs(
        lists=lists,
        taken=taken,
        depths=depths,
        items=read_items(items, index, popularity),
        popularity=read_popularity(popularity),
        index=index,
        labels=None if groups is None else read_labels(groups, len(lists)),
        units=None if users is None else read_labels(users, len(lists), "users"),
    )
    return score(inputs, Resampling(len(lists), inputs.units, int(bootstrap), confidence, int(seed)))

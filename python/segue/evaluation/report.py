"""What `replay` returns: tables, examples, a page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional, Union

import numpy as np
import numpy.typing as npt

from .._catalog import Catalog
from .._errors import InvalidArgument, NotFound
from .compare import compare
from .comparison import Comparison
from .evaluation import Evaluation
from .tables import comparison_html, comparison_text, evaluation_html, evaluation_text
from .ragged import Ids
from .user_items import UserItems


class ReplayExample(NamedTuple):
    """One user at one moment: what two generators showed, and what was taken.

    Attributes:
        user: Name of the user.
        window: Which window, in words.
        difference: What the second generator's list is better by.
        history: The last ids taken before, newest first.
        taken: The ids taken within the window.
        lists: Ids of the lists by generator, best first.

    Example:
        >>> import segue
        >>> lists = {"old": [4], "new": [9]}
        >>> segue.ReplayExample("ann", "1: 3 to 5", 0.5, [7, 4], [9], lists).difference
        0.5
    """

    user: Any
    window: str
    difference: float
    history: list[int]
    taken: list[int]
    lists: dict[str, list[int]]


ReplayExample.__module__ = "segue"


class Replay:
    """Generators over a log; made by `segue.replay`. Prints as a table, `save` writes a page.

    Attributes:
        evaluations: `Evaluation` by name of the generator, over all windows; their groups are
            the windows.
        comparisons: `Comparison` of every other generator against the first, by its name.
        recommended: What each generator showed, (rows, k) by its name.
        users: The user of each row.
        history: What each row's user had taken.
        taken: What each row's user took within the window.

    Example:
        >>> import segue
        >>> log = ([1, 2, 1, 2, 1, 2], [5, 5, 6, 6, 7, 8], [0, 1, 2, 3, 4, 5])
        >>> now = {"five": lambda w: [[5]] * len(w.users), "six": lambda w: [[6]] * len(w.users)}
        >>> found = segue.replay(log, now, windows=[2, 4, 6], k=1)
        >>> found.comparisons["six"]["recall@1"].difference, len(found.users)
        (0.5, 4)
    """

    def __init__(
        self,
        evaluations: Mapping[str, Evaluation],
        recommended: Mapping[str, Ids],
        users: npt.NDArray[Any],
        history: UserItems,
        taken: UserItems,
        name: Callable[[int], str],
    ) -> None:
        self.evaluations, self.recommended, self.users = evaluations, recommended, users
        self.history, self.taken = history, taken
        first, *others = evaluations
        self.comparisons: Mapping[str, Comparison] = {
            name: compare(evaluations[first], evaluations[name], names=(first, name)) for name in others
        }
        self._name = name

    def examples(
        self, n: int = 5, *, name: Optional[str] = None, measure: Optional[str] = None, shown: int = 10
    ) -> tuple[list[ReplayExample], list[ReplayExample]]:
        """Those for whom a generator changes most against the first.

        Args:
            n: How many at most of each, each of another user.
            name: Of the generator; None: the second.
            measure: By which; None: ndcg at the largest k.
            shown: How many ids of each list and of each history.

        Returns:
            The pair (winners, losers), lists of `ReplayExample`, the largest difference first.

        Raises:
            NotFound: There is no such generator or measure.

        Example:
            >>> import segue
            >>> log = ([1, 2, 1, 2], [5, 5, 6, 5], [0, 1, 2, 3])
            >>> now = {"five": lambda w: [[5]] * len(w.users), "six": lambda w: [[6]] * len(w.users)}
            >>> winners, losers = segue.replay(log, now, windows=[2, 4], k=1).examples()
            >>> winners[0].user, winners[0].taken, losers[0].user
            (1, [6], 2)
        """
        first, *others = self.evaluations
        name = name if name is not None else others[0] if others else ""
        if name not in self.comparisons:
            raise NotFound(f"no generator {name!r} is held against {first!r}; there are: {', '.join(others) or 'none'}")
        a, b = self.evaluations[first], self.evaluations[name]
        measure = f"ndcg@{a.k[-1]}" if measure is None else measure
        if measure not in a.per_list or measure not in b.per_list:
            raise NotFound(f"{measure!r} is no measure of each user; there are: {', '.join(a.per_list)}")
        apart = np.nan_to_num(b.per_list[measure] - a.per_list[measure])
        order = np.argsort(apart, kind="stable")
        sides = []
        for rows in (order[::-1], order):
            picked: dict[Any, int] = {}
            for row in rows.tolist():
                if len(picked) == n or abs(apart[row]) < 1e-12 or (apart[row] > 0) != (apart[rows[0]] > 0):
                    break
                picked.setdefault(self.users[row], row)
            sides.append([self._example(row, float(apart[row]), (first, name), shown) for row in picked.values()])
        if sides[0] and sides[0][0].difference < 0:
            sides[0] = []  # everybody loses
        if sides[1] and sides[1][0].difference > 0:
            sides[1] = []
        return sides[0], sides[1]

    def _example(self, row: int, difference: float, names: tuple[str, str], shown: int) -> ReplayExample:
        labels = self.evaluations[names[0]].labels
        lists = {name: [i for i in self.recommended[name][row].tolist() if i >= 0][:shown] for name in names}
        history = self.history[row][::-1][:shown].tolist()
        window = str(labels[row]) if labels is not None else ""
        taken = list(dict.fromkeys(self.taken[row].tolist()))
        return ReplayExample(self.users[row].item(), window, difference, history, taken, lists)

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes one page of HTML: tables, pictures, biggest winners and losers. No network.

        Args:
            path: Of the file.

        Raises:
            IoError: The operating system refused.

        Example:
            >>> import os, segue, tempfile
            >>> log = ([1, 2, 1, 2], [5, 5, 6, 5], [0, 1, 2, 3])
            >>> now = {"five": lambda w: [[5]] * len(w.users), "six": lambda w: [[6]] * len(w.users)}
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     segue.replay(log, now, windows=[2, 4], k=1).save(os.path.join(folder, "page.html"))
        """
        from .replay_page import replay_body
        from .page import write_page

        first, *others = self.evaluations
        title = f"{', '.join(others)} against {first}, over a log" if others else f"{first}, over a log"
        write_page(path, title, replay_body(self, self._name))

    def __repr__(self) -> str:
        of = next(iter(self.evaluations.values()))
        return f"Replay({', '.join(self.evaluations)}; {len(of.groups)} windows, {of.lists:,} lists of each)"

    def __str__(self) -> str:
        if not self.comparisons:
            return evaluation_text(next(iter(self.evaluations.values())))
        return "\n\n".join(comparison_text(of) for of in self.comparisons.values())

    def _repr_html_(self) -> str:
        if not self.comparisons:
            return evaluation_html(next(iter(self.evaluations.values())))
        return "".join(comparison_html(of) for of in self.comparisons.values())


Replay.__module__ = "segue"


def naming(names: Any) -> Callable[[int], str]:
    """What to call an item."""
    if names is None:
        return str
    if isinstance(names, Catalog):
        if not names.has_keys:
            raise InvalidArgument("names are a Catalog whose rows have no keys; pass a callable from an id to a str")
        return lambda item: names.keys([item])[0] if item in names else str(item)
    if callable(names):
        return lambda item: str(names(item))
    raise InvalidArgument(
        f"names are {type(names).__name__}, expected a callable from an id to a str, or a segue.Catalog"
    )

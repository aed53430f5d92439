"""Two generators side by side, user by user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional, Union

import numpy as np

from .._errors import InvalidArgument, NotFound
from .bootstrap import Floats, Resampling
from .evaluation import Evaluation, Measure
from .pictures import draw_groups, draw_recall, draw_tenths
from .svg import Picture
from .tables import comparison_html, comparison_text

_TIE = 1e-12  # what sums in another order may differ by


class Difference(NamedTuple):
    """One measure of two generators.

    Attributes:
        a: Of the first.
        b: Of the second.
        difference: b - a: the mean of the differences of the users who have both.
        low: Lower end of its interval; NaN where there is none (coverage, gini).
        high: Upper end.
        wins: Users for whom b is larger.
        losses: Users for whom a is larger.
        ties: Users for whom they are equal.
        users: How many have both.

    Example:
        >>> import segue
        >>> a = segue.evaluate([[1, 2], [3, 4]], [[1], [9]], k=2)
        >>> b = segue.evaluate([[2, 1], [9, 4]], [[1], [9]], k=2)
        >>> of = segue.compare(a, b).measures["mrr@2"]
        >>> of.difference, of.wins, of.losses
        (0.25, 1, 1)
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    wins: int
    losses: int
    ties: int
    users: int


Difference.__module__ = "segue"


class Comparison:
    """Two generators side by side; made by `segue.compare`. Prints as a table, draws as SVG.

    `comparison["recall@10"]` is a `Difference`. A verdict ("better", "worse"; "higher", "lower"
    where neither is good in itself) stands in the table where the interval leaves out 0. With
    many measures some leave it out by chance: one in 20 at a confidence of 0.95.

    Attributes:
        names: Of a and b.
        a: The first Evaluation, that the second is held against.
        b: The second.
        measures: `Difference` by name.
        groups: By label, `Difference` by name.

    Example:
        >>> import segue
        >>> a = segue.evaluate([[1, 2], [3, 4]], [[1], [9]], k=2, bootstrap=0)
        >>> b = segue.evaluate([[2, 1], [9, 4]], [[1], [9]], k=2, bootstrap=0)
        >>> segue.compare(a, b, names=("old", "new"))
        Comparison(new against old: recall@2 +0.5000, precision@2 +0.2500, hit-rate@2 +0.5000, ...)
    """

    def __init__(self, a: Evaluation, b: Evaluation, names: tuple[str, str]) -> None:
        self.a, self.b, self.names = a, b, names
        self.measures: Mapping[str, Difference] = _differences(
            a.measures, b.measures, a.per_user, b.per_user, a._resampling
        )
        groups = {}
        for label in a.groups:
            rows = np.flatnonzero(a.labels == label)
            units = None if a._units is None else a._units[rows]
            own = Resampling(len(rows), units, a._resampling.draws, a.confidence, a._resampling.seed)
            of_a, of_b = ({name: values[rows] for name, values in of.per_user.items()} for of in (a, b))
            groups[label] = _differences(a.groups[label], b.groups[label], of_a, of_b, own)
        self.groups: Mapping[Any, Mapping[str, Difference]] = groups

    def draw_recall(self) -> Picture:
        """Recall against the depth of the list, with bands of the intervals.

        Returns:
            Picture.

        Example:
            >>> import segue
            >>> found = segue.evaluate([[1, 2], [3, 4]], [[1], [4]], k=2)
            >>> segue.compare(found, found).draw_recall()
            Picture(760 x 400)
        """
        return draw_recall([self.a.curve, self.b.curve], self.names, self.a.confidence)

    def draw_exposure(self) -> Picture:
        """Which part of the lists each tenth of what people took gets, from popular to rare.

        Returns:
            Picture.

        Raises:
            NotFound: There is no popularity in the evaluations.

        Example:
            >>> import segue
            >>> found = segue.evaluate([[1, 2], [3, 4]], [[1], [4]], k=2, popularity={1: 9, 4: 1})
            >>> segue.compare(found, found).draw_exposure()
            Picture(760 x 400)
        """
        if self.a.tenths is None or self.b.tenths is None:
            raise NotFound("exposure by popularity needs evaluate(popularity=...) of both")
        return draw_tenths([self.a.tenths, self.b.tenths], self.names)

    def draw_groups(self, measure: Optional[str] = None) -> Picture:
        """The difference of one measure a group, with intervals.

        Args:
            measure: Its name; None: ndcg at the largest k.

        Returns:
            Picture.

        Raises:
            NotFound: There are no groups, or no such measure.

        Example:
            >>> import segue
            >>> found = segue.evaluate([[1, 2], [3, 4]], [[1], [4]], k=2, groups=["SE", "NO"])
            >>> segue.compare(found, found).draw_groups("recall@2")
            Picture(760 x 226)
        """
        measure = f"ndcg@{self.a.k[-1]}" if measure is None else measure
        if not self.groups:
            raise NotFound("there are no groups; pass evaluate(groups=...) of both")
        rows = [("all", self[measure]), *((str(label), of[measure]) for label, of in self.groups.items())]
        return draw_groups(rows, measure, self.names, self.a.confidence)

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes one page of HTML with the table and the pictures; it needs no network.

        Args:
            path: Of the file.

        Raises:
            IoError: The operating system refused.

        Example:
            >>> import os, segue, tempfile
            >>> found = segue.evaluate([[1, 2], [3, 4]], [[1], [4]], k=2)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     segue.compare(found, found).save(os.path.join(folder, "page.html"))
        """
        from .page import comparison_body, write_page

        write_page(path, f"{self.names[1]} against {self.names[0]}", comparison_body(self))

    def __getitem__(self, name: str) -> Difference:
        if name not in self.measures:
            raise NotFound(f"{name!r} was not measured of both; there are: {', '.join(self.measures)}")
        return self.measures[name]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {of.difference:+.4f}" for name, of in list(self.measures.items())[:3])
        return f"Comparison({self.names[1]} against {self.names[0]}: {shown}, ...)"

    def __str__(self) -> str:
        return comparison_text(self)

    def _repr_html_(self) -> str:
        return comparison_html(self)


Comparison.__module__ = "segue"


def compare(a: Evaluation, b: Evaluation, *, names: tuple[str, str] = ("a", "b")) -> Comparison:
    """Holds one generator against another, for the same users and what they took.

    The difference of each measure is that of each user's two values, and its interval comes
    from drawing users with both their values (a paired bootstrap, Efron 1979): what users have
    in common cancels out, so it is far narrower than two intervals beside each other suggest.

    Args:
        a: What is held against; draws, confidence and seed are those of this one.
        b: What may be better.
        names: What to call the two.

    Returns:
        Comparison.

    Raises:
        InvalidArgument: Evaluations of other users, other items that were relevant, other depths
            or other groups.

    Example:
        >>> import numpy as np, segue
        >>> rng = np.random.default_rng(0)
        >>> taken = rng.integers(0, 50, (400, 1))
        >>> guess = np.argsort(rng.random((400, 50)), axis=1)[:, :10]
        >>> better = np.argsort(rng.random((400, 50)) + 0.2 * (np.arange(50) != taken), axis=1)[:, :10]
        >>> a, b = (segue.evaluate(lists, list(taken), k=10) for lists in (guess, better))
        >>> of = segue.compare(a, b, names=("guess", "better"))["recall@10"]
        >>> bool(of.low > 0), of.wins > of.losses
        (True, True)
    """
    for what, of in (("a", a), ("b", b)):
        if not isinstance(of, Evaluation):
            raise InvalidArgument(f"{what} is a {type(of).__name__}, expected what segue.evaluate returns")
    if (a.users, a.k) != (b.users, b.k):
        raise InvalidArgument(
            f"a is of {a.users:,} users and k={a.k}, b of {b.users:,} and k={b.k}; evaluate both for the same"
        )
    if a._signature != b._signature:
        raise InvalidArgument("other items were relevant for a than for b; evaluate both with the same `relevant`")
    for what, x, y in (("groups", a.labels, b.labels), ("users", a._units, b._units)):
        if (x is None) != (y is None) or (x is not None and y is not None and not np.array_equal(x, y)):
            raise InvalidArgument(f"a and b have other {what}; evaluate both with the same")
    if len(names) != 2 or isinstance(names, str):
        raise InvalidArgument(f"names are {names!r}, expected two: of a and of b")
    return Comparison(a, b, (str(names[0]), str(names[1])))


def _differences(
    a: Mapping[str, Measure],
    b: Mapping[str, Measure],
    users_a: Mapping[str, Floats],
    users_b: Mapping[str, Floats],
    resampling: Resampling,
) -> dict[str, Difference]:
    apart = {name: users_b[name] - users_a[name] for name in users_a if name in users_b}
    between = resampling.intervals(apart)
    out = {}
    nan = float("nan")
    for name in a:
        if name in apart:
            of = apart[name][~np.isnan(apart[name])]
            mean = float(of.mean()) if len(of) else nan
            wins, losses = int((of > _TIE).sum()), int((of < -_TIE).sum())
            counts = (wins, losses, len(of) - wins - losses, len(of))
            out[name] = Difference(a[name].value, b[name].value, mean, *between[name], *counts)
        elif name in b:
            out[name] = Difference(a[name].value, b[name].value, b[name].value - a[name].value, nan, nan, 0, 0, 0, 0)
    return out

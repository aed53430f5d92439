"""What `evaluate` returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from .bootstrap import Floats, Resampling
from .tables import evaluation_html, evaluation_text


class Measure(NamedTuple):
    """One figure of an `Evaluation`.

    Attributes:
        value: Mean over the lists that have one, or the figure itself (coverage, gini).
        low: Lower end of its interval; NaN where there is none.
        high: Upper end.
        lists: How many lists the mean is over.

    Example:
        >>> import segue
        >>> segue.evaluate([[1, 2], [3, 4]], [[1], [9]], k=2)["hit-rate@2"].value
        0.5
    """

    value: float
    low: float
    high: float
    lists: int


Measure.__module__ = "segue"


class Evaluation:
    """How good lists were: measures with intervals, of all, a list and a group.

    Made by `segue.evaluate`.

    `evaluation["recall@10"]` is a `Measure`; print shows all of them, a notebook shows a table.

    Attributes:
        k: The depths that were measured, ascending.
        lists: How many lists there were: one a user, unless `users` said otherwise.
        users: How many users these are of.
        without_relevant: How many were for users who had nothing relevant. These have no recall,
            precision, hit-rate, NDCG, MRR, MAP and popularity lift and are left out of the means.
        without_list: How many were empty. They count as 0 where the user had something
            relevant, and are left out of novelty, popularity and diversity.
        measures: `Measure` by name.
        per_list: By name an array of shape (lists,), NaN where a list has none. Coverage and
            gini are of all lists together and not here.
        groups: By label, `Measure` by name; empty without groups.
        labels: The label of each list, or None.
        curve: Record array of recall by depth with its interval: k, recall, low, high.
        tenths: None without popularity, else 11 shares of the lists' places: those that went to
            each tenth of what people took, most popular first, and to what nobody took.
        confidence: Of the intervals.

    Example:
        >>> import segue
        >>> found = segue.evaluate([[1, 2], [3, 4], [5, 6]], [[1], [9], []], k=2, bootstrap=0)
        >>> print(found)
        3 users, 1 without anything relevant
                        @2
        recall      0.5000
        precision   0.2500
        hit-rate    0.5000
        ndcg        0.5000
        mrr         0.5000
        map         0.5000
        >>> found.per_list["recall@2"]
        array([ 1.,  0., nan])
    """

    def __init__(
        self,
        *,
        k: tuple[int, ...],
        lists: int,
        users: int,
        without_relevant: int,
        without_list: int,
        measures: dict[str, Measure],
        per_list: dict[str, Floats],
        groups: dict[Any, dict[str, Measure]],
        labels: Optional[npt.NDArray[Any]],
        curve: np.recarray[Any, Any],
        tenths: Optional[Floats],
        resampling: Resampling,
        units: Optional[npt.NDArray[Any]],
        signature: int,
    ) -> None:
        self.k, self.lists, self.users = k, lists, users
        self.without_relevant, self.without_list = without_relevant, without_list
        self.measures: Mapping[str, Measure] = measures
        self.per_list: Mapping[str, Floats] = per_list
        self.groups: Mapping[Any, Mapping[str, Measure]] = groups
        self.labels, self.curve, self.tenths = labels, curve, tenths
        self._resampling, self._units, self._signature = resampling, units, signature

    @property
    def confidence(self) -> float:
        """Of the intervals, above 0 and below 1."""
        return self._resampling.confidence

    def __getitem__(self, name: str) -> Measure:
        from .._errors import NotFound

        if name not in self.measures:
            raise NotFound(f"{name!r} was not measured; there are: {', '.join(self.measures)}")
        return self.measures[name]

    def __contains__(self, name: object) -> bool:
        return name in self.measures

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {of.value:.4f}" for name, of in list(self.measures.items())[:3])
        return f"Evaluation({self.users:,} users: {shown}, ...)"

    def __str__(self) -> str:
        return evaluation_text(self)

    def _repr_html_(self) -> str:
        return evaluation_html(self)


Evaluation.__module__ = "segue"

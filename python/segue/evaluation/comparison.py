"""Two generators side by side: a table and three pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Optional, Union

from .._errors import NotFound
from .arguments import rows_by_label
from .bootstrap import Resampling
from .differences import Difference, differences
from .evaluation import Evaluation
from .pictures import draw_groups, draw_recall, draw_tenths
from .svg import Picture
from .tables import comparison_html, comparison_text


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
        self.measures: Mapping[str, Difference] = differences(
            a.measures, b.measures, a.per_list, b.per_list, a._resampling
        )
        groups = {}
        for label, rows in rows_by_label(a.labels):
            units = None if a._units is None else a._units[rows]
            own = Resampling(len(rows), units, a._resampling.draws, a.confidence, a._resampling.seed)
            of_a, of_b = ({name: values[rows] for name, values in of.per_list.items()} for of in (a, b))
            groups[label] = differences(a.groups[label], b.groups[label], of_a, of_b, own)
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

"""What one person wants now, and what a generator answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Request:
    """What one person wants now.

    Args:
        vectors: Interests, or people: floats of shape (n, d) or (d,); None: none.
        k: How many candidates.
        weights: One a vector, above 0; None: all 1.
        combine: What several vectors say together: "max" (any of them; default), "sum", "average",
            "least_happy" (the worst of their scores counts; Masthoff 2011), "shares" (each
            proposes its own, as its weight says).
        seeds: What was played, the latest first.
        seed_half_life: Seeds so many places back count half.
        exclude_seeds: Whether what was just played is left out.
        filter: Only these: an expression or its text (over the generator's catalog), an IdSet, or
            a boolean array indexed by id.
        allowed: And only these: an IdSet or a boolean array. For a service that has both, such as
            what is licensed today beside a filter's text.
        exclude: Ids to leave out; thousands are fine.
        deadline_us: For all of the request, in microseconds; None: no limit.

    Example:
        >>> import segue
        >>> segue.Request(seeds=[7, 3], k=20, filter="minutes <= 30").k
        20
    """

    vectors: Any = None
    k: int = 100
    weights: Any = None
    combine: str = "max"
    seeds: Any = None
    seed_half_life: float = 5.0
    exclude_seeds: bool = True
    filter: Any = None
    allowed: Any = None
    exclude: Any = None
    deadline_us: Optional[int] = None


@dataclass(frozen=True)
class SourceReport:
    """What one source did for a request.

    Args:
        name: The source's.
        error: Why it failed, while the others went on; None.
        proposed: How many candidates, in its last pass.
        microseconds: How long it took, in all passes.
        cut: Whether a deadline ended it, or it was never asked.

    Example:
        >>> import segue
        >>> generator = segue.CandidateGenerator({"popular": segue.RankedList([7, 3, 9])})
        >>> report = generator.generate(segue.Request(k=2)).reports[0]
        >>> report.name, report.error, report.proposed, report.cut
        ('popular', None, 2, False)
    """

    name: str
    error: Optional[str]
    proposed: int
    microseconds: float
    cut: bool


class Candidates:
    """The list that a generator answers with, best first, and who proposed what.

    Candidate i is `ids[i]` with `scores[i]`. It was proposed by `sources[j]` (a number in
    `source_names`) as its `ranks[j]`-th, from 0, with `source_scores[j]` (NaN without), for j from
    `offsets[i]` to `offsets[i + 1]`. `ended_by` is "full", "exhausted" or "deadline"; `reason`
    says why there are fewer than k; `reports` has what each source did.

    Example:
        >>> import segue
        >>> generator = segue.CandidateGenerator({"popular": segue.RankedList([7, 3, 9])})
        >>> found = generator.generate(segue.Request(k=2))
        >>> found.ids.tolist(), found.ended_by, found.provenance(0)
        ([7, 3], 'full', [('popular', 0, nan)])
    """

    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    offsets: npt.NDArray[np.uint32]
    sources: npt.NDArray[np.uint16]
    ranks: npt.NDArray[np.uint32]
    source_scores: npt.NDArray[np.float32]
    ended_by: str
    reason: str
    reports: tuple[SourceReport, ...]

    def __init__(self, source_names: tuple[str, ...], parts: tuple[Any, ...]) -> None:
        self.source_names = source_names
        (
            self.ids,
            self.scores,
            self.offsets,
            self.sources,
            self.ranks,
            self.source_scores,
            self.ended_by,
            self.reason,
            reports,
        ) = parts
        self.reports = tuple(SourceReport(name, *each) for name, each in zip(source_names, reports))

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        why = f", {self.reason}" if self.reason else ""
        return f"Candidates({len(self)} ids, {self.ended_by}{why})"

    def provenance(self, i: int) -> list[tuple[str, int, float]]:
        """Who proposed the i-th: (source, rank from 0, score) of each.

        Args:
            i: A place in the list.

        Returns:
            list of tuples, in the order of the sources.

        Example:
            >>> import segue
            >>> generator = segue.CandidateGenerator({"popular": segue.RankedList([7, 3], [2.0, 1.0])})
            >>> generator.generate(segue.Request(k=2)).provenance(1)
            [('popular', 1, 1.0)]
        """
        i = range(len(self))[i]
        first, last = int(self.offsets[i]), int(self.offsets[i + 1])
        return [
            (self.source_names[self.sources[j]], int(self.ranks[j]), float(self.source_scores[j]))
            for j in range(first, last)
        ]

    def to_arrow(self) -> Any:
        """A pyarrow table with a row a candidate, for a ranker: id, score, and the lists source
        (names), rank and source_score. Its schema is the same for every answer.

        Returns:
            pyarrow.Table.

        Example:
            >>> import segue
            >>> generator = segue.CandidateGenerator({"popular": segue.RankedList([7, 3])})
            >>> generator.generate(segue.Request(k=2)).to_arrow().num_rows
            2
        """
        import pyarrow as pa  # type: ignore[import-untyped]

        offsets = pa.array(self.offsets.astype(np.int32))

        def lists(values: Any) -> Any:
            return pa.ListArray.from_arrays(offsets, values)

        names = pa.array(self.source_names, pa.string())
        return pa.table(
            {
                "id": self.ids,
                "score": self.scores,
                "source": lists(names.take(pa.array(self.sources))),
                "rank": lists(pa.array(self.ranks)),
                "source_score": lists(pa.array(self.source_scores)),
            }
        )

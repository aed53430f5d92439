"""What one person wants now, and what a generator answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from .. import _segue
from .._arrays import as_mask


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
    exclude: Any = None
    deadline_us: Optional[int] = None

    def _parts(self) -> tuple[Any, ...]:
        vectors = self.vectors
        if vectors is not None:
            vectors = np.atleast_2d(np.asarray(vectors, dtype=np.float32))
        expression: Any = None
        allowed: Any = None
        if isinstance(self.filter, str):
            expression = _segue.parse_filter(self.filter)
        elif isinstance(self.filter, _segue.Expression):
            expression = self.filter
        elif isinstance(self.filter, _segue.IdSet):
            allowed = self.filter
        elif self.filter is not None:
            allowed = _segue.IdSet.from_mask(as_mask(self.filter))
        weights = None if self.weights is None else np.atleast_1d(np.asarray(self.weights, np.float32))
        return (
            self,
            self.k,
            vectors,
            weights,
            self.combine,
            self.seeds,
            float(self.seed_half_life),
            self.exclude_seeds,
            expression,
            allowed,
            self.exclude,
            self.deadline_us,
        )


@dataclass(frozen=True)
class Report:
    """What one source did for a request: why it failed, how many it proposed, how long it took."""

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
        self.reports = tuple(Report(name, *each) for name, each in zip(source_names, reports))

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
        first, last = int(self.offsets[i]), int(self.offsets[i + 1])
        return [
            (self.source_names[self.sources[j]], int(self.ranks[j]), float(self.source_scores[j]))
            for j in range(first, last)
        ]

    def to_arrow(self) -> Any:
        """A pyarrow table with a row a candidate: id, score, and lists of source, rank and source_score.

        Returns:
            pyarrow.Table.

        Example:
            >>> import segue
            >>> generator = segue.CandidateGenerator({"popular": segue.RankedList([7, 3])})
            >>> generator.generate(segue.Request(k=2)).to_arrow().num_rows
            2
        """
        import pyarrow as pa  # type: ignore[import-untyped]

        def lists(values: Any) -> Any:
            return pa.ListArray.from_arrays(pa.array(self.offsets.astype(np.int32)), pa.array(values))

        names = np.array(self.source_names, dtype=object)
        return pa.table(
            {
                "id": self.ids,
                "score": self.scores,
                "source": lists(names[self.sources]),
                "rank": lists(self.ranks),
                "source_score": lists(self.source_scores),
            }
        )

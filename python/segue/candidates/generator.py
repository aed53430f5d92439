"""`segue.CandidateGenerator`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional, SupportsIndex, Union, overload

from .. import _segue
from .._catalog import Catalog
from . import _parts
from ._parts import a, each_a
from .request import Candidates, Request
from .rules import Freshness, GroupCap, MinimumQuota, Mmr, Popularity
from .sources import AnySource, Source


class CandidateGenerator:
    """From a request to the list that a ranker wants.

    Each source proposes; duplicates merge and keep who proposed them; scores come on one scale;
    caps, quotas and diversity pick. If that leaves fewer than k the sources are asked for four
    times as many, until there are k, or they have no more, or time is up.

    Safe from any number of threads, beside changes of indexes and catalog.

    Args:
        sources: Source objects, or a mapping from names to NearestToVectors, NearestToSeeds,
            RankedList and CallableSource. Ids name items across all of them.
        blend: "weighted" (a source's best counts 1 and its last 1 / n, times its weight; sums
            over sources), "reciprocal_rank" (weight / (60 + rank); Cormack et al. 2009) or
            "shares" (sources take turns, as their shares say).
        catalog: For filters, caps, quotas, freshness and popularity.
        caps: GroupCap objects.
        minimums: MinimumQuota objects.
        mmr: Mmr, for diversity.
        freshness: Freshness.
        popularity: Popularity.

    Raises:
        InvalidArgument: No source or two of one name, a column that the catalog does not have or
            of a type that does not fit, a cap of 0, shares of more than 1 in all.

    Example:
        >>> import numpy as np, segue
        >>> tracks = segue.build(np.eye(6, dtype=np.float32), metric="cosine", progress=False)
        >>> catalog = segue.Catalog({"artist": ["a", "a", "b", "b", "c", "c"]})
        >>> taste = segue.NearestToVectors(tracks)
        >>> home = segue.CandidateGenerator(
        ...     {"taste": taste}, catalog=catalog, caps=[segue.GroupCap("artist", 1)]
        ... )
        >>> home.generate(segue.Request([3.0, 2.0, 1.0, 0.0, 0.0, 0.0], k=3)).ids.tolist()
        [0, 2, 4]
    """

    def __init__(
        self,
        sources: Union[Mapping[str, AnySource], Iterable[Source]],
        *,
        blend: str = "weighted",
        catalog: Optional[Catalog] = None,
        caps: Iterable[GroupCap] = (),
        minimums: Iterable[MinimumQuota] = (),
        mmr: Optional[Mmr] = None,
        freshness: Optional[Freshness] = None,
        popularity: Optional[Popularity] = None,
    ) -> None:
        if isinstance(sources, Mapping):
            sources = [Source(name, source) for name, source in sources.items()]
        specs = each_a(Source, sources, "sources")
        self.source_names = tuple(spec.name for spec in specs)
        self._core = _segue._Generator(
            [_parts.of_source(spec) for spec in specs],
            blend,
            None if catalog is None else a(Catalog, catalog, "catalog is")._core,
            [_parts.of_cap(cap) for cap in each_a(GroupCap, caps, "caps")],
            [_parts.of_minimum(quota) for quota in each_a(MinimumQuota, minimums, "minimums")],
            None if mmr is None else _parts.of_mmr(a(Mmr, mmr, "mmr is")),
            None if freshness is None else _parts.of_freshness(a(Freshness, freshness, "freshness is")),
            None if popularity is None else _parts.of_popularity(a(Popularity, popularity, "popularity is")),
        )

    def __repr__(self) -> str:
        return f"CandidateGenerator({', '.join(self.source_names)})"

    @overload
    def generate(self, requests: Request, *, threads: Optional[SupportsIndex] = None) -> Candidates: ...
    @overload
    def generate(self, requests: Iterable[Request], *, threads: Optional[SupportsIndex] = None) -> list[Candidates]: ...
    def generate(
        self, requests: Union[Request, Iterable[Request]], *, threads: Optional[SupportsIndex] = None
    ) -> Union[Candidates, list[Candidates]]:
        """Candidates for a request, or for each of several.

        Args:
            requests: A Request, or any number of them.
            threads: For several: at most so many; None: as many as there are. One request never
                uses more than one.

        Returns:
            Candidates, or a list of them.

        Raises:
            InvalidArgument: A request with vectors that do not fit, a filter over a column that is
                not there, a minimum of more than k. A source that fails is no error: its report
                has the reason.

        Example:
            >>> import segue
            >>> generator = segue.CandidateGenerator({"popular": segue.RankedList([7, 3, 9])})
            >>> generator.generate([segue.Request(k=2), segue.Request(k=1, exclude=[7])])
            [Candidates(2 ids, full), Candidates(1 ids, full)]
        """
        asked = [requests] if isinstance(requests, Request) else each_a(Request, requests, "requests")
        answers = self._core.generate([_parts.of_request(request) for request in asked], threads)
        found = [Candidates(self.source_names, answer) for answer in answers]
        return found[0] if isinstance(requests, Request) else found

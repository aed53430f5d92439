"""From rules and requests to the tuples that the compiled module takes."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, Optional, TypeVar

import numpy as np

from .. import _segue
from .._arrays import as_floats, as_mask, as_numbers
from .._columns import is_missing, since_1970
from .._errors import InvalidArgument
from .request import Request
from .rules import Freshness, GroupCap, MinimumQuota, Mmr, Popularity
from .sources import CallableSource, NearestToSeeds, NearestToVectors, RankedList, Source, an_index

_T = TypeVar("_T")


def a(kind: type[_T], value: Any, what: str) -> _T:
    if not isinstance(value, kind):
        raise InvalidArgument(f"{what} a {type(value).__name__}, expected segue.{kind.__name__}")
    return value


def each_a(kind: type[_T], values: Any, what: str) -> list[_T]:
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
        raise InvalidArgument(f"{what} is a {type(values).__name__}, expected segue.{kind.__name__} objects")
    return [a(kind, value, f"{what} has") for value in values]


def of_source(spec: Source) -> tuple[str, _segue._Source, float, float]:
    source = spec.source
    if not isinstance(source, (NearestToVectors, NearestToSeeds, RankedList, CallableSource)):
        raise InvalidArgument(
            f"source {spec.name!r} is a {type(source).__name__}, expected NearestToVectors, NearestToSeeds, "
            "RankedList or CallableSource"
        )
    return spec.name, source._core, spec.weight, spec.share


def of_cap(cap: GroupCap) -> tuple[str, int]:
    return cap.column, cap.at_most


def of_minimum(minimum: MinimumQuota) -> tuple[_segue.Expression, int]:
    wanted = minimum.filter
    if isinstance(wanted, str):
        wanted = _segue.parse_filter(wanted)
    if not isinstance(wanted, _segue.Expression):
        what = type(wanted).__name__
        raise InvalidArgument(f"the filter of a MinimumQuota is a {what}, expected an expression or its text")
    return wanted, minimum.at_least


def of_mmr(mmr: Mmr) -> tuple[_segue.Index, float, int]:
    return an_index(mmr.index, "the index of an Mmr"), mmr.lambda_, mmr.pool


def of_freshness(freshness: Freshness) -> tuple[str, float, float, int]:
    return freshness.column, freshness.half_life_days, freshness.weight, _seconds(freshness.now)


def of_popularity(popularity: Popularity) -> tuple[str, float]:
    return popularity.column, popularity.strength


def of_request(request: Request) -> tuple[Any, ...]:
    if isinstance(request.exclude, _segue.IdSet):
        raise InvalidArgument("exclude is an IdSet, expected an array of ids; pass filter=~ids or allowed=~ids instead")
    expression, allowed = _filter(request.filter)
    if request.allowed is not None:
        among = _id_set(request.allowed, "allowed")
        allowed = among if allowed is None else allowed & among
    return (
        request,
        request.k,
        None if request.vectors is None else np.atleast_2d(as_floats(request.vectors, "vectors")),
        None if request.weights is None else as_numbers(request.weights, "weights"),
        request.combine,
        request.seeds,
        request.seed_half_life,
        request.exclude_seeds,
        expression,
        allowed,
        request.exclude,
        request.deadline_us,
    )


def _filter(value: Any) -> tuple[Optional[_segue.Expression], Optional[_segue.IdSet]]:
    if value is None:
        return None, None
    if isinstance(value, str):
        return _segue.parse_filter(value), None
    if isinstance(value, _segue.Expression):
        return value, None
    return None, _id_set(value, "filter")


def _id_set(value: Any, what: str) -> _segue.IdSet:
    return value if isinstance(value, _segue.IdSet) else _segue.IdSet.from_mask(as_mask(value, what))


def _seconds(now: Any) -> int:
    # 0 stands for the clock.
    if now is None:
        return 0
    if not is_missing(now) and isinstance(now, (datetime.date, np.datetime64)):
        return since_1970(now)
    if isinstance(now, (int, float, np.integer, np.floating)) and np.isfinite(now):
        return int(now)
    raise InvalidArgument(f"now is {now!r} ({type(now).__name__}), expected a date, seconds since 1970, or None")

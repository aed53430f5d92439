"""What holds for a list as a whole, and what moves scores."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Union

import numpy as np

from .. import _segue


@dataclass(frozen=True)
class GroupCap:
    """At most so many with the same value of a column: two tracks an artist.

    Args:
        column: Of categories, sets (an item counts for each of its values), integers, booleans or
            dates. What has no value there is never capped.
        at_most: 1 or more.

    Example:
        >>> import segue
        >>> segue.GroupCap("artist", 2)
        GroupCap(column='artist', at_most=2)
    """

    column: str
    at_most: int = 1


@dataclass(frozen=True)
class MinimumQuota:
    """At least so many that match, as long as there are any: three of a genre.

    Args:
        filter: An expression, or its text.
        at_least: 1 or more, at most k.

    Example:
        >>> import segue
        >>> segue.MinimumQuota("genre = 'jazz'", 3)
        MinimumQuota(filter="genre = 'jazz'", at_least=3)
    """

    filter: Union[str, _segue.Expression]
    at_least: int = 1


@dataclass(frozen=True)
class Mmr:
    """Maximal marginal relevance (Carbonell & Goldstein 1998): each place goes to what is most
    relevant and least like what stands above it, by cosine.

    Args:
        index: Whose vectors; what it does not hold is like nothing.
        lambda_: 1 looks at scores alone, 0 at unlikeness alone.
        pool: The best so many are looked at.

    Example:
        >>> import numpy as np, segue
        >>> index = segue.build(np.eye(4, dtype=np.float32), metric="cosine", progress=False)
        >>> segue.Mmr(index, lambda_=0.6).pool
        200
    """

    index: _segue.Index
    lambda_: float = 0.7
    pool: int = 200


@dataclass(frozen=True)
class Freshness:
    """A score is multiplied by 1 - weight + weight * 2**(-age / half-life); without a date, by
    1 - weight. It orders what is proposed, of which there is k at first from each source: an
    `Mmr` of lambda 1 and a larger pool lets it choose among more.

    Args:
        column: Of dates.
        half_life_days: After so many days half of it is left.
        weight: 0 to 1: how much of a score depends on age.
        now: A date (one without a zone is UTC), or seconds since 1970; None: the clock.

    Example:
        >>> import segue
        >>> segue.Freshness("released", half_life_days=14).weight
        0.5
    """

    column: str
    half_life_days: float = 30.0
    weight: float = 0.5
    now: Union[None, float, datetime.date, np.datetime64] = None


@dataclass(frozen=True)
class Popularity:
    """Takes strength * log(count) from a score (logQ correction; Yi et al. 2019, section 4).
    What it chooses among: see `Freshness`.

    Args:
        column: Of integers or floats: how often. Missing, or below 1, counts as 1.
        strength: How much; 0 does nothing.

    Example:
        >>> import segue
        >>> segue.Popularity("plays", strength=0.1)
        Popularity(column='plays', strength=0.1)
    """

    column: str
    strength: float = 0.05

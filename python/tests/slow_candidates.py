"""Candidate generation the slow way: every source sorts the whole catalogue, every rule is a loop.

Vectors, weights and half-lives are such that float32 holds every score exactly, so lists are compared id by id, and equal
scores, which are frequent, have to be ordered by id.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np

import segue

DIM = 5
DAY = 86400
NOW = 1_700_000_000
MOODS = ("calm", "loud", "odd")


@dataclass
class World:
    """Items 0 .. items - 1 in the index; rows of the catalog for three quarters of them, and for some that are not there."""

    seed: int
    items: int
    x: np.ndarray = field(init=False)
    rows: dict[int, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        self.x = random.integers(-4, 5, (self.items, DIM)).astype(np.float32)
        self.rows = {}
        for i in range(self.items + 5):
            if random.random() < 0.75:
                self.rows[i] = {
                    "artist": _maybe(random, f"artist {random.integers(8)}"),
                    "minutes": _maybe(random, int(random.integers(60))),
                    "mood": _maybe(random, [mood for mood in MOODS if random.random() < 0.4]),
                    "released": _maybe(random, np.datetime64(NOW - 16 * DAY * int(random.integers(6)), "s")),
                    "plays": _maybe(random, int(random.integers(1000))),
                }
        types = {"artist": "category", "minutes": "integer", "mood": "set", "released": "date", "plays": "integer"}
        columns = {name: [row[name] for row in self.rows.values()] for name in types}
        self.catalog = segue.Catalog(columns, ids=list(self.rows), types=types)
        self.index = segue.FlatIndex(DIM, "ip")
        self.index.add(self.x)

    def value(self, i: int, column: str) -> Any:
        return self.rows.get(i, {}).get(column)


def _maybe(random: np.random.Generator, value: Any) -> Any:
    return value if random.random() < 0.9 else None


@dataclass
class Ask:
    """A request, its filter as a function."""

    k: int
    vectors: np.ndarray
    weights: list[float]
    combine: str
    seeds: list[int]
    exclude_seeds: bool
    exclude: list[int]
    passes: Callable[[int], bool]

    def allows(self, i: int) -> bool:
        return i >= 0 and i not in self.exclude and not (self.exclude_seeds and i in self.seeds) and self.passes(i)


# A source proposes (id, score or None) for at most n of what `allows` says, and tells whether it has more.
Proposals = list[tuple[int, Optional[float]]]
SEED_HALF_LIFE = 1.0


@dataclass
class SlowSource:
    kind: str  # taste, session, list, function
    weight: float = 1.0
    share: float = 0.0
    ids: list[int] = field(default_factory=list)
    scores: Optional[list[float]] = None

    def spec(self, name: str, world: World) -> segue.Source:
        def function(request: segue.Request, n: int) -> Any:
            return self.ids[:n] if self.scores is None else (self.ids[:n], self.scores[:n])

        source = {
            "taste": lambda: segue.NearestToVectors(world.index),
            "session": lambda: segue.NearestToSeeds(world.index),
            "list": lambda: segue.RankedList(self.ids, self.scores),
            "function": lambda: segue.CallableSource(function),
        }[self.kind]()
        return segue.Source(name, source, self.weight, self.share)

    def propose(self, world: World, ask: Ask, n: int, allows: Callable[[int], bool]) -> tuple[Proposals, bool]:
        if self.kind in ("list", "function"):
            scores: list[Any] = self.scores or [None] * len(self.ids)
            whole = list(zip(self.ids, scores))
            if self.kind == "function":  # it is not told what is allowed
                return _distinct(p for p in whole[:n] if allows(p[0])), len(whole) > n
            whole = [p for p in whole if allows(p[0])]
        else:
            among = [i for i in range(world.items) if allows(i)]
            whole = nearest_to_seeds(world, ask, among) if self.kind == "session" else nearest(world, ask, among)
        return whole[:n], len(whole) > n


def _distinct(proposals: Iterable[tuple[int, Optional[float]]]) -> Proposals:
    first: dict[int, Optional[float]] = {}
    for i, score in proposals:
        first.setdefault(i, score)
    return list(first.items())


def _best_first(scores: dict[int, float]) -> Proposals:
    return sorted(((i, float(np.float32(s))) for i, s in scores.items()), key=lambda p: (-p[1], p[0]))


def nearest(world: World, ask: Ask, among: list[int]) -> Proposals:
    if len(ask.vectors) == 0:
        return []
    of = {i: [float(q @ world.x[i]) for q in ask.vectors] for i in among}
    weights = ask.weights or [1.0] * len(ask.vectors)
    if ask.combine == "shares":
        lists = [_best_first({i: s[v] for i, s in of.items()}) for v in range(len(ask.vectors))]
        return [(i, None) for i in in_turns([[i for i, _ in each] for each in lists], weights, lambda i: True)]
    rule: dict[str, Callable[[list[float]], float]] = {
        "max": lambda s: max(w * x for w, x in zip(weights, s)),
        "sum": lambda s: sum(w * x for w, x in zip(weights, s)),
        "average": lambda s: sum(w * x for w, x in zip(weights, s)) * (1 / sum(weights)),
        "least_happy": lambda s: min(s),
    }
    return _best_first({i: rule[ask.combine](s) for i, s in of.items()})


def nearest_to_seeds(world: World, ask: Ask, among: list[int]) -> Proposals:
    seeds = [(2.0 ** (-place / SEED_HALF_LIFE), i) for place, i in enumerate(ask.seeds) if i < world.items]
    if not seeds:
        return []
    middle = sum(weight * world.x[i].astype(np.float64) for weight, i in seeds)
    return _best_first({i: float(middle @ world.x[i]) * (1 / sum(weight for weight, _ in seeds)) for i in among})


def in_turns(lists: list[list[int]], shares: list[float], take: Callable[[int], bool]) -> list[int]:
    """The next turn goes to whoever would then have least of its share; what cannot be taken costs none."""
    taken: list[int] = []
    given = [0] * len(lists)
    rest = [list(each) for each in lists]
    while any(rest):
        has = [(n + 1) / share if share > 0 else math.inf for n, share in zip(given, shares)]
        turn = min((t for t in range(len(lists)) if rest[t]), key=lambda t: (has[t], t))
        i = rest[turn].pop(0)
        if i not in taken and take(i):
            taken.append(i)
            given[turn] += 1
    return taken


def worth(given: Proposals, place: int) -> float:
    n = len(given)
    score = given[place][1]
    if score is None:
        return 1 - place / n
    best, last = given[0][1], given[-1][1]
    part = 1.0 if best == last else (score - last) / (best - last)
    return 1 / n + (1 - 1 / n) * part


@dataclass
class SlowGenerator:
    world: World
    sources: list[SlowSource]
    blend: str = "weighted"
    caps: list[tuple[str, int]] = field(default_factory=list)
    minimums: list[tuple[str, Callable[[int], bool], int]] = field(default_factory=list)  # text, the same, how many
    freshness: Optional[float] = None  # its weight
    popularity: Optional[float] = None  # its strength

    def fast(self, **more: Any) -> segue.CandidateGenerator:
        released = {} if self.freshness is None else {"freshness": segue.Freshness("released", 16, self.freshness, NOW)}
        played = {} if self.popularity is None else {"popularity": segue.Popularity("plays", self.popularity)}
        return segue.CandidateGenerator(
            [source.spec(f"source {s}", self.world) for s, source in enumerate(self.sources)],
            blend=self.blend,
            catalog=self.world.catalog,
            caps=[segue.GroupCap(*cap) for cap in self.caps],
            minimums=[segue.MinimumQuota(text, n) for text, _, n in self.minimums],
            **released,
            **played,
            **more,
        )

    def generate(self, ask: Ask) -> tuple[list[int], list[float], list[Proposals]]:
        taken, scores, given = self.widen(ask, ask.k)
        return taken, [scores[i] for i in taken], given

    def widen(self, ask: Ask, n: int) -> tuple[list[int], dict[int, float], list[Proposals]]:
        """Asks each source for n, minimums for more as long as that may help, and all again: as the yield of the first n
        says, twice over (1.5 to 4 times n), then for four times as many."""
        asked = [0] * len(self.minimums)
        first = True
        while True:
            answers = [source.propose(self.world, ask, n, ask.allows) for source in self.sources]
            given = [list(proposals) for proposals, _ in answers]
            while True:
                more = self.ask_for_minimums(ask, given, asked)
                scores = self.blend_all(given)
                taken = self.pick(ask.k, given, scores)
                wider = False
                for m, (_, matches, at_least) in enumerate(self.minimums):
                    if sum(map(matches, taken)) < at_least and more[m]:
                        asked[m] = 4 * max(asked[m], at_least)
                        wider = True
                if not wider:
                    break
            if len(taken) == ask.k or not any(more for _, more in answers):
                return taken, scores, given
            short = 1 + 2 * ((ask.k - len(taken)) / max(1, len(taken)))
            n = math.ceil((min(max(short, 1.5), 4.0) if first else 4.0) * n)
            first = False

    def ask_for_minimums(self, ask: Ask, given: list[Proposals], asked: list[int]) -> list[bool]:
        """What each source proposes for a minimum alone, behind its own, in one order; whether there is more of it."""
        has_more = [True] * len(self.minimums)
        for m, (_, matches, at_least) in enumerate(self.minimums):
            if asked[m] == 0 and sum(map(matches, {i for each in given for i, _ in each})) >= at_least:
                continue
            asked[m] = max(asked[m], 4 * at_least)
            has_more[m] = False
            for source, each in zip(self.sources, given):
                those, more = source.propose(self.world, ask, asked[m], lambda i: ask.allows(i) and matches(i))
                has_more[m] |= more
                known = {i for i, _ in each}
                each.extend(p for p in those if p[0] not in known)
                if all(score is not None for _, score in each):
                    each.sort(key=lambda p: -p[1])
        return has_more

    def blend_all(self, given: list[Proposals]) -> dict[int, float]:
        scores: dict[int, float] = {}
        for source, each in zip(self.sources, given):
            for place, (i, _) in enumerate(each):
                own = 1 / (61 + place) if self.blend == "reciprocal_rank" else worth(each, place)
                scores[i] = scores.get(i, 0.0) + source.weight * own
        return {i: self.moved(i, score) for i, score in scores.items()}

    def moved(self, i: int, score: float) -> float:
        if self.freshness is not None:
            released = self.world.value(i, "released")
            age = None if released is None else (NOW - int(released.astype(np.int64))) / DAY
            score *= 1 - self.freshness + self.freshness * (0.0 if age is None else 2.0 ** (-age / 16))
        if self.popularity is not None:
            score -= self.popularity * math.log(max(1, self.world.value(i, "plays") or 1))
        return score

    def groups(self, i: int) -> list[tuple[int, Any]]:
        found = []
        for cap, (column, _) in enumerate(self.caps):
            value = self.world.value(i, column)
            found += [(cap, v) for v in (value if isinstance(value, list) else [] if value is None else [value])]
        return found

    def fits(self, i: int, taken: list[int]) -> bool:
        return all(
            sum(group in self.groups(other) for other in taken) < self.caps[group[0]][1] for group in self.groups(i)
        )

    def pick(self, k: int, given: list[Proposals], scores: dict[int, float]) -> list[int]:
        order = sorted(scores, key=lambda i: (-scores[i], i))
        there = [min(n, sum(map(matches, order))) for _, matches, n in self.minimums]
        taken: list[int] = []

        def may_take(i: int, hold: bool) -> bool:
            if i in taken or len(taken) == k or not self.fits(i, taken):
                return False
            missing = [n - sum(map(m[1], taken)) for m, n in zip(self.minimums, there)]
            helps = any(n > 0 and m[1](i) for m, n in zip(self.minimums, missing))
            return not hold or helps or sum(n for n in missing if n > 0) < k - len(taken)

        def take(i: int, hold: bool) -> bool:
            if may_take(i, hold):
                taken.append(i)
                return True
            return False

        for hold in (True, False):  # what quotas held back and nobody came for goes to the best
            if self.blend == "shares":
                open_ = sum(s.share == 0 for s in self.sources)
                left = max(0.0, 1 - sum(s.share for s in self.sources)) / open_ if open_ else 0.0
                lists = [[i for i, _ in each] for each in given]
                in_turns(lists, [s.share or left for s in self.sources], lambda i: take(i, hold))
            else:
                for i in order:
                    take(i, hold)
        return taken if self.blend == "shares" else sorted(taken, key=lambda i: (-scores[i], i))

"""Candidate generation against the slow reference of slow_candidates.py: whatever sources, rules and request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

import segue
from slow_candidates import DIM, SEED_HALF_LIFE, Ask, Proposals, SlowGenerator, SlowSource, World

COMBINES = ("max", "sum", "average", "least_happy", "shares")
QUARTERS = st.integers(1, 8).map(lambda n: n / 4)


@st.composite
def worlds(draw: Any) -> World:
    return World(draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 90)))


@st.composite
def ranked(draw: Any, world: World, kind: str) -> SlowSource:
    """A list without repeated or negative ids, or a function that has both."""
    known = st.integers(0, world.items + 4)
    ids = draw(st.lists(known, unique=True) if kind == "list" else st.lists(known | st.integers(-2, 5), max_size=40))
    scores = draw(st.none() | st.lists(st.integers(0, 9).map(float), min_size=len(ids), max_size=len(ids)))
    return SlowSource(kind, ids=ids, scores=None if not scores else sorted(scores, reverse=True))


@st.composite
def sources(draw: Any, world: World, blend: str) -> list[SlowSource]:
    found = []
    for kind in draw(st.lists(st.sampled_from(["taste", "session", "list", "function"]), min_size=1, max_size=4)):
        found.append(draw(ranked(world, kind)) if kind in ("list", "function") else SlowSource(kind))
        found[-1].weight = draw(QUARTERS)
    if blend == "shares":
        for source in found:
            source.share = draw(st.integers(0, 2)) / 8
        found[0].share = found[0].share or 0.125
    return found


@st.composite
def filters(draw: Any, world: World) -> tuple[Any, Callable[[int], bool]]:
    """A filter in one of its forms, and what it says."""
    form = draw(st.sampled_from(["none", "text", "expression", "set", "mask", "complement"]))
    minutes = draw(st.integers(0, 60))
    mood = draw(st.sampled_from(["calm", "odd"]))

    def short(i: int) -> bool:
        value = world.value(i, "minutes")
        return value is not None and value <= minutes

    def in_mood(i: int) -> bool:
        return short(i) or mood in (world.value(i, "mood") or [])

    members = [i for i in range(world.items + 5) if short(i)]
    mask = np.isin(np.arange(world.items + 5), members)
    return {
        "none": (None, lambda i: True),
        "text": (f"minutes <= {minutes} or mood has '{mood}'", in_mood),
        "expression": ((segue.field("minutes") <= minutes) | segue.field("mood").contains(mood), in_mood),
        "set": (segue.IdSet(members), short),
        "mask": (mask, short),
        "complement": (~segue.IdSet(members), lambda i: not short(i)),
    }[form]


@st.composite
def asks(draw: Any, world: World, combines: Any = st.sampled_from(COMBINES)) -> tuple[Ask, segue.Request]:
    ids = st.integers(0, world.items + 10)
    people = draw(st.integers(0, 3))
    number = st.integers(-4, 4)
    vectors = np.array(draw(st.lists(number, min_size=people * DIM, max_size=people * DIM)), np.float32).reshape(people, DIM)
    weights = draw(st.just([]) | st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=people, max_size=people))
    filter_, passes = draw(filters(world))
    ask = Ask(
        draw(st.integers(1, 30)),
        vectors,
        weights,
        draw(combines),
        draw(st.lists(ids, max_size=4)),
        draw(st.booleans()),
        draw(st.lists(ids, max_size=20)),
        passes,
    )
    return ask, request_of(ask, filter_)


def request_of(ask: Ask, filter_: Any = None) -> segue.Request:
    return segue.Request(
        ask.vectors,
        k=ask.k,
        weights=ask.weights or None,
        combine=ask.combine,
        seeds=ask.seeds,
        seed_half_life=SEED_HALF_LIFE,
        exclude_seeds=ask.exclude_seeds,
        filter=filter_,
        exclude=ask.exclude,
    )


def has_mood(world: World, mood: str) -> Callable[[int], bool]:
    return lambda i: mood in (world.value(i, "mood") or [])


@st.composite
def minimums(draw: Any, world: World, k: int) -> list[tuple[str, Callable[[int], bool], int]]:
    moods = draw(st.lists(st.sampled_from(["calm", "loud", "odd"]), unique=True, max_size=2))
    return [(f"mood has '{mood}'", has_mood(world, mood), draw(st.integers(1, k))) for mood in moods]


def check_provenance(found: segue.Candidates, proposals: list[Proposals]) -> None:
    for place, i in enumerate(found.ids.tolist()):
        expected = []
        for s, each in enumerate(proposals):
            expected += [(f"source {s}", rank, score) for rank, (other, score) in enumerate(each) if other == i]
        shown = [(name, rank, None if np.isnan(score) else score) for name, rank, score in found.provenance(place)]
        assert shown == expected


@settings(max_examples=150)
@given(st.data(), worlds(), st.sampled_from(["weighted", "reciprocal_rank", "shares"]))
def test_lists_are_those_of_the_whole_catalogue(data: st.DataObject, world: World, blend: str) -> None:
    ask, request = data.draw(asks(world))
    slow = SlowGenerator(
        world,
        data.draw(sources(world, blend)),
        blend,
        data.draw(st.lists(st.sampled_from([("artist", 1), ("artist", 3), ("mood", 4), ("minutes", 1)]), max_size=2)),
        data.draw(minimums(world, ask.k)),
        data.draw(st.none() | st.sampled_from([0.5, 1.0])),
        data.draw(st.none() | st.sampled_from([0.125, -0.25])),
    )
    note(f"{slow.sources}, caps {slow.caps}, minimums {[(text, n) for text, _, n in slow.minimums]}")
    ids, scores, proposals = slow.generate(ask)
    found = slow.fast().generate(request)
    assert found.ids.tolist() == ids
    np.testing.assert_array_equal(found.scores, np.array(scores, np.float32))
    assert found.ended_by == ("full" if len(ids) == ask.k else "exhausted")
    assert (found.reason == "") == (len(ids) == ask.k)
    check_provenance(found, proposals)


@given(st.data(), worlds(), st.sampled_from(COMBINES))
def test_vectors_combine(data: st.DataObject, world: World, combine: str) -> None:
    ask, request = data.draw(asks(world, st.just(combine)))
    slow = SlowGenerator(world, [SlowSource("taste")])
    ids, _, proposals = slow.generate(ask)
    found = slow.fast().generate(request)
    assert found.ids.tolist() == ids
    check_provenance(found, proposals)


@given(st.data(), worlds())
def test_minimums_are_reached_where_they_can_be(data: st.DataObject, world: World) -> None:
    """Said without the reference: disjoint quotas that fit have what they want, or all that there is."""
    ask, request = data.draw(asks(world, st.just("max")))
    by_minutes = [(lambda i: (world.value(i, "minutes") or 0) > 30), (lambda i: (world.value(i, "minutes") or 99) < 20)]
    texts = ["minutes > 30", "minutes < 20 and minutes != 0"]
    wanted = [data.draw(st.integers(1, max(1, ask.k // 2))) for _ in texts] if ask.k > 1 else [1]
    slow = SlowGenerator(world, [SlowSource("taste")], minimums=list(zip(texts, by_minutes, wanted)))
    found = slow.fast().generate(request).ids.tolist()
    allowed = [i for i in range(world.items) if ask.allows(i)] if len(ask.vectors) else []
    assert len(found) == min(ask.k, len(allowed))
    for matches, n in zip(by_minutes, wanted):
        assert sum(map(matches, found)) >= min(n, sum(map(matches, allowed)))


@settings(max_examples=80)
@given(st.data(), worlds(), st.sampled_from([0.0, 0.3, 0.7, 1.0]), st.integers(1, 60), st.integers(1, 3))
def test_diversity_is_its_definition(data: st.DataObject, world: World, lambda_: float, pool: int, cap: int) -> None:
    """Each place goes to a candidate of the largest marginal relevance (Carbonell & Goldstein 1998), up to rounding."""
    ask, request = data.draw(asks(world, st.just("sum")))
    slow = SlowGenerator(world, [SlowSource("taste")], caps=[("artist", cap)])
    found = slow.fast(mmr=segue.Mmr(world.index, lambda_, pool)).generate(request).ids.tolist()

    # How many are taken does not depend on their order: an item has one artist at most.
    best, scores, _ = slow.widen(ask, max(ask.k, pool))
    order = sorted(scores, key=lambda i: (-scores[i], i))
    looked_at = order[: max(ask.k, pool)]
    lengths = np.linalg.norm(world.x.astype(np.float64), axis=1)
    unit = world.x / np.where(lengths > 0, lengths, 1)[:, None]
    low, high = (min(scores[i] for i in looked_at), max(scores[i] for i in looked_at)) if looked_at else (0, 0)
    taken: list[int] = []
    for i in found:
        fitting = [j for j in looked_at if j not in taken and slow.fits(j, taken)]
        if not fitting:  # beyond the pool: the best that fit
            assert i == next(j for j in order if j not in taken and slow.fits(j, taken))
        else:
            relevance = {j: 1.0 if high == low else (scores[j] - low) / (high - low) for j in fitting}
            alike = {j: max((float(unit[j] @ unit[t]) for t in taken), default=0.0) for j in fitting}
            marginal = {j: lambda_ * relevance[j] - (1 - lambda_) * alike[j] for j in fitting}
            assert i in marginal and marginal[i] >= max(marginal.values()) - 1e-5
        taken.append(i)
    assert len(found) == len(best)


@pytest.mark.parametrize("metric", ["ip", "l2", "cosine"])
@given(seed=st.integers(0, 2**32 - 1), people=st.integers(1, 4), combine=st.sampled_from(COMBINES[:4]), weighted=st.booleans())
def test_scores_are_those_of_the_metric(metric: str, seed: int, people: int, combine: str, weighted: bool) -> None:
    """Here with rounding: numbers of any kind, three metrics."""
    random = np.random.default_rng(seed)
    x, q = random.standard_normal((200, 6), np.float32), random.standard_normal((people, 6), np.float32)
    index = segue.FlatIndex(6, metric)
    index.add(x)
    weights = random.uniform(0.2, 3, people).astype(np.float32) if weighted else np.ones(people, np.float32)
    w, a, b = weights.astype(np.float64), x.astype(np.float64), q.astype(np.float64)
    if metric == "cosine":
        a, b = a / np.linalg.norm(a, axis=1)[:, None], b / np.linalg.norm(b, axis=1)[:, None]
    scores = ((a[:, None] - b[None]) ** 2).sum(-1) if metric == "l2" else a @ b.T
    expected = {
        "max": (scores / w).min(1) if metric == "l2" else (scores * w).max(1),
        "sum": scores @ w,
        "average": scores @ w / w.sum(),
        "least_happy": scores.max(1) if metric == "l2" else scores.min(1),
    }[combine]
    request = segue.Request(q, k=25, weights=weights if weighted else None, combine=combine)
    found = segue.CandidateGenerator({"taste": segue.NearestToVectors(index)}).generate(request)
    np.testing.assert_allclose(found.source_scores, expected[found.ids], rtol=1e-4, atol=1e-4)
    best = np.sort(expected if metric == "l2" else -expected)[:25]
    np.testing.assert_allclose(np.abs(found.source_scores), np.abs(best), rtol=1e-4, atol=1e-4)


@settings(max_examples=25)
@given(st.data(), worlds(), st.sampled_from([1, 3]))
def test_a_batch_is_its_requests(data: st.DataObject, world: World, threads: int) -> None:
    slow = SlowGenerator(world, data.draw(sources(world, "weighted")), caps=[("artist", 2)])
    requests = [request for _, request in data.draw(st.lists(asks(world), max_size=6))]
    fast = slow.fast()
    for one, found in zip(requests, fast.generate(iter(requests), threads=threads), strict=True):
        alone = fast.generate(one)
        for name in ("ids", "scores", "offsets", "sources", "ranks", "source_scores"):
            np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))
        assert (found.ended_by, found.reason) == (alone.ended_by, alone.reason)

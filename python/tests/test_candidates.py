"""Candidate generation from Python: rules against a slow reference, sources that fail, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segue

N, DIM = 400, 8
RNG = np.random.default_rng(5)
X = RNG.standard_normal((N, DIM), dtype=np.float32)
ARTIST = RNG.integers(0, 60, N)
MINUTES = RNG.integers(0, 60, N)
MOODS = [list(np.array(["calm", "loud", "odd"])[RNG.random(3) < 0.5]) for _ in range(N)]
INDEX = segue.FlatIndex(DIM, "ip")
INDEX.add(X)
CATALOG = segue.Catalog({"artist": ARTIST, "minutes": MINUTES, "mood": MOODS})
TASTE = segue.NearestToVectors(INDEX)


def reference(q: np.ndarray, k: int, cap: int, minutes: int, exclude: list[int]) -> list[int]:
    order = sorted(range(N), key=lambda i: (-float(X[i].astype(np.float64) @ q.astype(np.float64)), i))
    taken: list[int] = []
    of_artist: dict[int, int] = {}
    for i in order:
        if len(taken) == k or MINUTES[i] > minutes or i in exclude or of_artist.get(ARTIST[i], 0) == cap:
            continue
        of_artist[ARTIST[i]] = of_artist.get(ARTIST[i], 0) + 1
        taken.append(i)
    return taken


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10_000),
    st.integers(1, 80),
    st.integers(1, 4),
    st.integers(0, 60),
    st.lists(st.integers(0, N + 5), max_size=30),
    st.sampled_from(["text", "expression", "set", "mask"]),
)
def test_constraints_are_those_of_the_whole_catalogue(
    seed: int, k: int, cap: int, minutes: int, exclude: list[int], form: str
) -> None:
    q = np.random.default_rng(seed).standard_normal(DIM, dtype=np.float32)
    generator = segue.CandidateGenerator({"taste": TASTE}, catalog=CATALOG, caps=[segue.GroupCap("artist", cap)])
    allowed = {
        "text": f"minutes <= {minutes}",
        "expression": segue.field("minutes") <= minutes,
        "set": segue.IdSet(np.flatnonzero(MINUTES <= minutes)),
        "mask": MINUTES <= minutes,
    }[form]
    found = generator.generate(segue.Request(q, k=k, filter=allowed, exclude=exclude))
    expected = reference(q, k, cap, minutes, exclude)
    assert found.ids.tolist() == expected
    assert found.ended_by == ("full" if len(expected) == k else "exhausted")


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 4), st.sampled_from(["max", "sum", "average", "least_happy"]))
def test_vectors_combine(seed: int, people: int, combine: str) -> None:
    q = np.random.default_rng(seed).standard_normal((people, DIM), dtype=np.float32)
    scores = X.astype(np.float64) @ q.T.astype(np.float64)
    value = {"max": scores.max(1), "sum": scores.sum(1), "average": scores.mean(1), "least_happy": scores.min(1)}[combine]
    found = segue.CandidateGenerator([segue.Source("taste", TASTE)]).generate(segue.Request(q, k=15, combine=combine))
    assert found.ids.tolist() == np.lexsort((np.arange(N), -value))[:15].tolist()
    np.testing.assert_allclose(found.source_scores, np.sort(value)[::-1][:15], rtol=1e-4, atol=1e-4)


def test_a_home_page() -> None:
    def new(request: segue.Request, n: int) -> tuple[np.ndarray, np.ndarray]:
        assert request.k == 30 and n >= 30
        return np.arange(100, 150), np.linspace(1, 0.5, 50)

    def broken(request: segue.Request, n: int) -> None:
        raise ConnectionError("the shelf is not reachable")

    generator = segue.CandidateGenerator(
        [
            segue.Source("taste", TASTE),
            segue.Source("session", segue.NearestToSeeds(INDEX), 0.5),
            segue.Source("popular", segue.RankedList(np.arange(50), np.arange(50, 0, -1)), 0.3),
            segue.Source("new", segue.CallableSource(new), 0.3),
            segue.Source("broken", segue.CallableSource(broken)),
        ],
        catalog=CATALOG,
        caps=[segue.GroupCap("artist", 2)],
        minimums=[segue.MinimumQuota("mood has 'odd'", 20)],
        mmr=segue.Mmr(INDEX, lambda_=0.7, pool=60),
    )
    seeds, played = [3, 5, 8], np.arange(200, 300)
    found = generator.generate(segue.Request(X[:2], k=30, seeds=seeds, filter="minutes < 50", exclude=played))
    assert len(found) == 30 and len(set(found.ids.tolist())) == 30 and found.ended_by == "full"
    assert np.bincount(ARTIST[found.ids]).max() <= 2 and (MINUTES[found.ids] < 50).all()
    assert sum("odd" in MOODS[i] for i in found.ids) >= 20
    assert not set(found.ids.tolist()) & ({*seeds} | {*played.tolist()})
    assert "not reachable" in found.reports[4].error and found.reports[4].name == "broken"
    assert [r.error for r in found.reports[:4]] == [None] * 4
    assert sum(len(found.provenance(i)) for i in range(30)) == len(found.sources)
    table = found.to_arrow()
    assert table.num_rows == 30 and table["source"][0].as_py() == [name for name, _, _ in found.provenance(0)]
    batch = generator.generate([segue.Request(X[:2], k=30, seeds=seeds, filter="minutes < 50", exclude=played)] * 5, threads=2)
    assert all(each.ids.tolist() == found.ids.tolist() for each in batch)


def test_sources_keep_their_index_alive() -> None:
    index = segue.FlatIndex(DIM)
    index.add(X)
    generator = segue.CandidateGenerator({"taste": segue.NearestToVectors(index)})
    expected = index.search(X[0], 5).ids.tolist()
    del index
    assert generator.generate(segue.Request(X[0], k=5)).ids.tolist() == expected


@pytest.mark.parametrize(
    ("sources", "options", "message"),
    [
        ({}, {}, "without sources"),
        ({"a": 3}, {}, "source 'a' is a int"),
        ([TASTE], {}, "expected segue.Source"),
        ({"a": TASTE}, {"blend": "best"}, 'unknown blend "best"; known: "weighted"'),
        ({"a": TASTE}, {"caps": [segue.GroupCap("artist", 0)], "catalog": CATALOG}, "the cap on 'artist' is 0"),
        ({"a": TASTE}, {"caps": [segue.GroupCap("genre")], "catalog": CATALOG}, "it has artist (integer)"),
        ({"a": TASTE}, {"minimums": [segue.MinimumQuota("minutes <", 1)], "catalog": CATALOG}, "expected"),
        ({"a": TASTE}, {"freshness": segue.Freshness("minutes"), "catalog": CATALOG}, "dates"),
        ([segue.Source("a", TASTE, share=0.8), segue.Source("b", TASTE, share=0.8)], {"blend": "shares"}, "add up to 1.6"),
        ({"a": TASTE}, {"catalog": {}}, "catalog is a dict"),
    ],
)
def test_what_a_generator_is_refused_for(sources: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(segue.InvalidArgument) as error:
        segue.CandidateGenerator(sources, **options)  # type: ignore[arg-type]
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (segue.Request(X[0], k=0), "k is 0"),
        (segue.Request(X[0, :5]), "5 dimensions, the index 8"),
        (segue.Request(X[0], deadline_us=0), "deadline_us is 0"),
        (segue.Request(X[0], combine="mean"), 'unknown combine "mean"'),
        (segue.Request(X[0], weights=[1, 2]), "1 vectors and 2 weights"),
        (segue.Request(X[0], filter="genre = 'x'"), "genre"),
        (segue.Request(X[0], filter="minutes <"), "expected"),
        (segue.Request(X[0] * np.nan), "not finite"),
        ("home", "requests has a str"),
    ],
)
def test_what_a_request_is_refused_for(request_: object, message: str) -> None:
    generator = segue.CandidateGenerator({"taste": TASTE}, catalog=CATALOG)
    with pytest.raises(segue.InvalidArgument) as error:
        generator.generate([request_])  # type: ignore[list-item]
    assert message in str(error.value)


def test_a_filter_that_matches_nothing_gives_a_reason() -> None:
    found = segue.CandidateGenerator({"taste": TASTE}, catalog=CATALOG).generate(segue.Request(X[0], filter="minutes > 99"))
    assert len(found) == 0 and found.reason == "the filter matches nothing"

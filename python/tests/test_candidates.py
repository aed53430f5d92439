"""Candidate generation from Python: rules against a slow reference, sources that fail, what is refused."""

from __future__ import annotations

import datetime
import gc
import threading
import time
import weakref

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
RELEASED = np.datetime64("2024-05-01", "s") - np.arange(N) * np.timedelta64(86400, "s")
MOODS = [list(np.array(["calm", "loud", "odd"])[RNG.random(3) < 0.5]) for _ in range(N)]
INDEX = segue.FlatIndex(DIM, "ip")
INDEX.add(X)
CATALOG = segue.Catalog({"artist": ARTIST, "minutes": MINUTES, "mood": MOODS, "released": RELEASED})
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
        ([segue.Source("a", TASTE), segue.Source("a", TASTE)], {}, "two sources are named 'a'"),
        ([segue.Source("a", TASTE, weight=-1)], {}, "weight -1"),
        ([segue.Source("a", TASTE, weight="much")], {}, "weight is 'much' (str), expected a number"),  # type: ignore[arg-type]
        ("home", {}, "sources is a str"),
        (3, {}, "sources is a int"),
        ({"a": TASTE}, {"blend": 3}, "blend is 3"),
        ({"a": TASTE}, {"catalog": {}}, "catalog is a dict"),
        ({"a": TASTE}, {"caps": segue.GroupCap("artist")}, "caps is a GroupCap"),
        ({"a": TASTE}, {"caps": ["artist"], "catalog": CATALOG}, "caps has a str, expected segue.GroupCap"),
        ({"a": TASTE}, {"caps": [segue.GroupCap("artist", 1.5)], "catalog": CATALOG}, "at_most is 1.5 (float)"),  # type: ignore[arg-type]
        ({"a": TASTE}, {"caps": [segue.GroupCap("artist")]}, "the generator has none"),
        ({"a": TASTE}, {"minimums": [segue.MinimumQuota(3)], "catalog": CATALOG}, "the filter of a MinimumQuota is a int"),  # type: ignore[arg-type]
        ({"a": TASTE}, {"minimums": [segue.MinimumQuota("minutes > 3", 0)], "catalog": CATALOG}, "is 0; it must be at least 1"),
        ({"a": TASTE}, {"mmr": 0.7}, "mmr is a float, expected segue.Mmr"),
        ({"a": TASTE}, {"mmr": segue.Mmr(CATALOG)}, "the index of an Mmr is a Catalog"),  # type: ignore[arg-type]
        ({"a": TASTE}, {"mmr": segue.Mmr(INDEX, 1.5)}, "lambda 1.5"),
        ({"a": TASTE}, {"mmr": segue.Mmr(INDEX, pool=0)}, "a pool of 0"),
        ({"a": TASTE}, {"popularity": segue.Popularity("mood"), "catalog": CATALOG}, "integers or floats"),
        ({"a": TASTE}, {"popularity": segue.Popularity("minutes", float("nan")), "catalog": CATALOG}, "strength is nan"),
        ({"a": TASTE}, {"freshness": segue.Freshness("released", 0), "catalog": CATALOG}, "half-life of 0"),
        ({"a": TASTE}, {"freshness": segue.Freshness("released", now="today"), "catalog": CATALOG}, "now is 'today' (str)"),  # type: ignore[arg-type]
        ({"a": TASTE}, {"freshness": segue.Freshness("released", now=np.datetime64("NaT")), "catalog": CATALOG}, "expected a date"),
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
        (segue.Request(np.ones((2, 2, DIM), np.float32)), "vectors are of shape (2, 2, 8), expected (n, d)"),
        (segue.Request(np.arange(DIM)), "vectors are of dtype int64"),
        (segue.Request("taste"), "vectors are 'taste' (str)"),
        (segue.Request(X[0], k=2.5), "k is 2.5 (float)"),  # type: ignore[arg-type]
        (segue.Request(X[0], weights=[0]), "weight 0"),
        (segue.Request(X[0], weights="much"), "weights are 'much' (str), expected numbers"),
        (segue.Request(X[0], combine=3), "combine is 3"),  # type: ignore[arg-type]
        (segue.Request(seeds=[1.5]), "seeds are of dtype float64"),
        (segue.Request(seeds=[1], seed_half_life=0), "seed_half_life of 0"),
        (segue.Request(seeds=[1], seed_half_life="short"), "seed_half_life is 'short' (str)"),  # type: ignore[arg-type]
        (segue.Request(X[0], filter=[1, 2]), "for a list of ids pass segue.IdSet(ids)"),
        (segue.Request(X[0], filter="artist = 'x'"), "artist"),
        (segue.Request(X[0], allowed="minutes < 3"), "allowed are 'minutes < 3' (str)"),
        (segue.Request(X[0], exclude=segue.IdSet([3])), "exclude is an IdSet"),
        (segue.Request(X[0], exclude=["x"]), "exclude are"),
        ("home", "requests has a str"),
        (None, "requests has a NoneType"),
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


def test_a_minimum_of_more_than_k_is_refused() -> None:
    generator = segue.CandidateGenerator({"a": TASTE}, catalog=CATALOG, minimums=[segue.MinimumQuota("minutes < 9", 5)])
    with pytest.raises(segue.InvalidArgument, match="a minimum quota asks for 5 and a request for k of 3"):
        generator.generate(segue.Request(X[0], k=3))


def test_a_batch_names_the_request_that_is_refused() -> None:
    generator = segue.CandidateGenerator({"taste": TASTE})
    with pytest.raises(segue.InvalidArgument, match="request 1: .*7 dimensions"):
        generator.generate([segue.Request(X[0]), segue.Request(X[0, :7])])
    with pytest.raises(segue.InvalidArgument, match="requests is a int"):
        generator.generate(3)  # type: ignore[call-overload]
    with pytest.raises(segue.InvalidArgument, match="threads is 0"):
        generator.generate([segue.Request(X[0])], threads=0)
    assert generator.generate([]) == []


def test_a_filter_needs_a_catalog_and_a_set_does_not() -> None:
    generator = segue.CandidateGenerator({"taste": TASTE})
    with pytest.raises(segue.InvalidArgument, match="has no catalog"):
        generator.generate(segue.Request(X[0], filter="minutes < 3"))
    assert generator.generate(segue.Request(X[0], k=3, filter=segue.IdSet([7]))).ids.tolist() == [7]
    assert generator.generate(segue.Request(X[0], k=3, allowed=segue.IdSet([7]))).ids.tolist() == [7]


def test_filter_and_allowed_both_hold() -> None:
    generator = segue.CandidateGenerator({"taste": TASTE}, catalog=CATALOG)
    licensed = np.arange(N) % 3 == 0
    expected = np.flatnonzero(licensed & (MINUTES < 20)).tolist()
    for filter_ in ("minutes < 20", segue.field("minutes") < 20, MINUTES < 20, segue.IdSet(np.flatnonzero(MINUTES < 20))):
        for allowed in (licensed, segue.IdSet(np.flatnonzero(licensed))):
            found = generator.generate(segue.Request(X[0], k=N, filter=filter_, allowed=allowed))
            assert sorted(found.ids.tolist()) == expected and found.ended_by == "exhausted"


def test_a_catalog_of_another_size_than_the_index() -> None:
    """What has no row matches no filter and is held by no cap; rows of nothing are no candidates."""
    catalog = segue.Catalog({"artist": [1] * 60, "minutes": [5] * 60}, ids=np.arange(50, 110) * 4)
    generator = segue.CandidateGenerator({"taste": TASTE}, catalog=catalog, caps=[segue.GroupCap("artist", 2)])
    found = generator.generate(segue.Request(X[0], k=N))
    with_row = np.isin(found.ids, np.arange(50, 110) * 4)
    assert with_row.sum() == 2 and (~with_row).sum() == N - 50 and found.ended_by == "exhausted"
    assert generator.generate(segue.Request(X[0], k=N, filter="minutes = 5")).ids.tolist() == found.ids[with_row].tolist()


@pytest.mark.parametrize(
    ("proposed", "message"),
    [
        (None, "it raised InvalidArgument: the ids that it proposed are None"),
        ([1.5], "the ids that it proposed are of dtype float64"),
        (([1, 2], [0.5]), "2 ids with 1 scores"),
        (([1, 2], ["a", "b"]), "its scores are of dtype"),
        (([1, 2], [1.0, float("nan")]), "not finite"),
        (np.ones((2, 2), np.int64), "ids are of shape (2, 2)"),
    ],
)
def test_what_a_function_may_not_propose(proposed: object, message: str) -> None:
    sources = {"odd": segue.CallableSource(lambda request, n: proposed), "popular": segue.RankedList([5, 6])}
    found = segue.CandidateGenerator(sources).generate(segue.Request(k=5))
    assert found.ids.tolist() == [5, 6]
    assert message in str(found.reports[0].error) and found.reports[1].error is None


@pytest.mark.parametrize("proposed", [(4, 2), [4, 2], np.array([4, 2]), iter([4, 2]), ([4, 2], None), (np.array([4, 2]), [2, 1])])
def test_what_a_function_may_propose(proposed: object) -> None:
    found = segue.CandidateGenerator({"odd": segue.CallableSource(lambda request, n: proposed)}).generate(segue.Request(k=5))
    assert found.ids.tolist() == [4, 2], found.reports


def test_a_function_sees_the_request_and_is_asked_for_more() -> None:
    seen = []

    def function(request: segue.Request, n: int) -> np.ndarray:
        seen.append((request, n))
        return np.arange(n)

    generator = segue.CandidateGenerator({"all": segue.CallableSource(function)})
    request = segue.Request(k=4, exclude=np.arange(20))
    assert generator.generate(request).ids.tolist() == [20, 21, 22, 23]
    assert [n for _, n in seen] == [4, 16, 64] and all(asked is request for asked, _ in seen)


def test_a_function_that_raises_at_its_second_call_keeps_what_it_proposed() -> None:
    calls = []

    def function(request: segue.Request, n: int) -> list[int]:
        calls.append(n)
        if len(calls) == 2:
            raise TimeoutError("too slow")
        return [1, 2, 3, 4]

    found = segue.CandidateGenerator({"shelf": segue.CallableSource(function)}).generate(segue.Request(k=4, exclude=[1, 2]))
    assert found.ids.tolist() == [3, 4] and found.reports[0].error == "it raised TimeoutError: too slow"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("many", [False, True])
def test_an_interruption_is_no_failure_of_a_source(interruption: type[BaseException], many: bool) -> None:
    def function(request: segue.Request, n: int) -> None:
        raise interruption("stop")

    generator = segue.CandidateGenerator({"shelf": segue.CallableSource(function), "popular": segue.RankedList([5])})
    with pytest.raises(interruption, match="stop"):
        generator.generate([segue.Request(k=1)] * 3 if many else segue.Request(k=1))
    gc.collect()


def test_a_function_may_ask_a_generator() -> None:
    inner = segue.CandidateGenerator({"taste": TASTE})
    outer = segue.CandidateGenerator({"inner": segue.CallableSource(lambda r, n: inner.generate(segue.Request(r.vectors, k=n)).ids)})
    requests = [segue.Request(x, k=5) for x in X[:20]]
    expected = [inner.generate(request).ids.tolist() for request in requests]
    assert [found.ids.tolist() for found in outer.generate(requests, threads=3)] == expected


def test_functions_are_asked_from_several_threads_at_once() -> None:
    both = threading.Barrier(2, timeout=20)

    def function(request: segue.Request, n: int) -> list[int]:
        both.wait()
        return [request.k]

    generator = segue.CandidateGenerator({"met": segue.CallableSource(function)})
    found = generator.generate([segue.Request(k=3), segue.Request(k=4)], threads=2)
    assert [each.ids.tolist() for each in found] == [[3], [4]], [each.reports for each in found]


def test_a_function_goes_with_its_generator() -> None:
    class Shelf:
        def __call__(self, request: segue.Request, n: int) -> list[int]:
            return [1]

    shelf = Shelf()
    gone = weakref.ref(shelf)
    generator = segue.CandidateGenerator({"shelf": segue.CallableSource(shelf)})
    del shelf
    assert generator.generate(segue.Request(k=1)).ids.tolist() == [1] and gone() is not None
    del generator
    gc.collect()
    assert gone() is None


def test_arrays_outlive_what_made_them() -> None:
    def generate() -> segue.Candidates:
        generator = segue.CandidateGenerator({"taste": segue.NearestToVectors(INDEX)})
        return generator.generate(segue.Request(X[3].copy(), k=5, exclude=np.arange(3), filter=np.ones(N, bool)))

    found = generate()
    gc.collect()
    assert found.ids.tolist() == INDEX.search(X[3], 5, exclude=[0, 1, 2]).ids.tolist()
    types = {name: getattr(found, name).dtype.name for name in ("ids", "scores", "offsets", "sources", "ranks", "source_scores")}
    assert types == {
        "ids": "int64", "scores": "float32", "offsets": "uint32", "sources": "uint16", "ranks": "uint32",
        "source_scores": "float32",
    }  # fmt: skip


def test_arrow_has_one_schema() -> None:
    pa = pytest.importorskip("pyarrow")
    generator = segue.CandidateGenerator({"taste": TASTE, "popular": segue.RankedList([3, 4])})
    full, empty = generator.generate([segue.Request(X[0], k=4), segue.Request(k=4, exclude=[3, 4])])
    assert len(empty) == 0 and empty.to_arrow().schema == full.to_arrow().schema
    table = pa.concat_tables([full.to_arrow(), empty.to_arrow()])
    assert table.schema.types == [pa.int64(), pa.float32(), pa.list_(pa.string()), pa.list_(pa.uint32()), pa.list_(pa.float32())]
    for i, row in enumerate(table.to_pylist()):
        expected = [(name, rank, score) for name, rank, score in full.provenance(i)]
        shown = list(zip(row["source"], row["rank"], row["source_score"], strict=True))
        np.testing.assert_equal(shown, expected)


def test_freshness_reads_dates_of_any_kind() -> None:
    day = datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc)
    kinds = [day, day.replace(tzinfo=None), day.date(), np.datetime64("2024-05-01"), day.timestamp(), int(day.timestamp())]
    for now in kinds:
        fresh = segue.Freshness("released", half_life_days=10, weight=1, now=now)
        generator = segue.CandidateGenerator({"all": segue.RankedList([0, 10, 20], [1, 1, 1])}, catalog=CATALOG, freshness=fresh)
        assert generator.generate(segue.Request(k=3)).scores.tolist() == [1, 0.5, 0.25]


def test_reports_and_reasons_are_readable() -> None:
    generator = segue.CandidateGenerator({"popular": segue.RankedList([3, 4])})
    found = generator.generate(segue.Request(k=5))
    assert repr(generator) == "CandidateGenerator(popular)"
    assert repr(found).startswith("Candidates(2 ids, exhausted, no source has more") and found.source_names == ("popular",)
    report = found.reports[0]
    assert (report.name, report.error, report.proposed, report.cut) == ("popular", None, 2, False) and report.microseconds > 0
    np.testing.assert_equal(found.provenance(-1), [("popular", 1, np.nan)])
    with pytest.raises(IndexError):
        found.provenance(2)


def test_a_deadline_says_so() -> None:
    def slow(request: segue.Request, n: int) -> list[int]:
        time.sleep(0.02)
        return [1]

    late = segue.CallableSource(lambda request, n: [2])
    sources = {"slow": segue.CallableSource(slow), "late": late, "list": segue.RankedList([3])}
    found = segue.CandidateGenerator(sources).generate(segue.Request(k=3, deadline_us=1000))
    assert found.ids.tolist() == [1, 3], "lists are there whatever the clock says"
    assert found.ended_by == "deadline" and "time ran out with 2 of 3" in found.reason
    assert [report.cut for report in found.reports] == [False, True, False]

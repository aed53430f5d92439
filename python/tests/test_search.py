"""search and range_search: shapes, order, options, and the right answers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from conftest import STORAGES, exact, make_index, random_vectors
from hypothesis import given
from hypothesis import strategies as st

import segue


@pytest.fixture
def index(kind: str, metric: str) -> segue.Index:
    made = make_index(kind, 16, metric)
    made.add(random_vectors(7, 300, 16))
    return made


def test_answers_are_those_of_numpy(index: segue.Index) -> None:
    x, q = random_vectors(7, 300, 16), random_vectors(8, 20, 16)
    ids, scores = index.search(q, k=10, ef=300)
    wanted, wanted_scores = exact(x, q, 10, index.metric)
    np.testing.assert_array_equal(ids, wanted)
    np.testing.assert_allclose(scores, wanted_scores, rtol=1e-5, atol=1e-5)


def test_shapes_and_dtypes(index: segue.Index) -> None:
    q = random_vectors(8, 5, 16)
    many, one = index.search(q, 3), index.search(q[0], 3)
    assert many.ids.shape == many.scores.shape == (5, 3) and one.ids.shape == one.scores.shape == (3,)
    assert many.ids.dtype == np.int64 and many.scores.dtype == np.float32
    np.testing.assert_array_equal(many.ids[0], one.ids)
    assert index.search(q[:0], 3).ids.shape == (0, 3)
    assert index.search(q).ids.shape == (5, 10)
    assert many.ids.flags.owndata and many.ids.flags.writeable


def test_result_is_a_named_tuple(index: segue.Index) -> None:
    result = index.search(random_vectors(8, 2, 16), k=4)
    ids, scores = result
    assert isinstance(result, segue.SearchResult) and isinstance(result, tuple)
    assert ids is result.ids and scores is result.scores and result.stats is None
    assert result._fields == ("ids", "scores") and set(result._asdict()) == {"ids", "scores"}
    back = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(back.ids, ids)


def test_options_by_name_and_by_position(index: segue.Index) -> None:
    q = random_vectors(8, 2, 16)
    wanted = index.search(q, 4).ids
    np.testing.assert_array_equal(index.search(queries=q, k=4).ids, wanted)
    np.testing.assert_array_equal(index.search(k=np.int32(4), queries=q, threads=None, ef=None, nprobe=10**6).ids, wanted)
    np.testing.assert_array_equal(index.search(q, **{"".join(["k", ""]): 4}).ids, wanted)
    for call in (lambda: index.search(), lambda: index.search(q, 4, 5), lambda: index.search(q, queries=q)):
        with pytest.raises(TypeError, match="search"):
            call()
    with pytest.raises(TypeError, match="'efs'"):
        index.search(q, efs=3)


def test_missing_results(kind: str, metric: str) -> None:
    index = make_index(kind, 4, metric)
    worst = np.inf if metric == "l2" else -np.inf
    empty = index.search(np.ones((2, 4), np.float32), k=3)
    assert (empty.ids == -1).all() and (empty.scores == worst).all()
    index.add(np.eye(4, dtype=np.float32))
    few = index.search(np.ones(4, np.float32), k=7)
    assert sorted(few.ids[:4]) == [0, 1, 2, 3] and (few.ids[4:] == -1).all() and (few.scores[4:] == worst).all()


def test_fewer_candidates_than_results(index: segue.Index) -> None:
    ids = index.search(random_vectors(8, 4, 16), k=50, ef=1).ids
    assert (ids >= 0).all() and all(len(set(row)) == 50 for row in ids.tolist())


def test_equal_scores_come_by_id(kind: str) -> None:
    index = make_index(kind, 3, "l2")
    index.add(np.ones((40, 3), np.float32), ids=np.arange(40)[::-1])
    assert index.search(np.zeros(3, np.float32), k=10, ef=100).ids.tolist() == list(range(10))


def test_threads_change_nothing(index: segue.Index) -> None:
    q = random_vectors(8, 64, 16)
    np.testing.assert_array_equal(index.search(q, threads=1).ids, index.search(q, threads=3).ids)


def test_stats_say_what_a_query_cost(index: segue.Index) -> None:
    stats = index.search(random_vectors(8, 6, 16), ef=30, stats=True).stats
    assert stats.shape == (6,) and stats.dtype.names == ("distances", "visited", "microseconds", "cut")
    assert (stats.distances > 0).all() and (stats["visited"] > 0).all()
    assert (stats.microseconds > 0).all() and not stats.cut.any()
    one = index.search(random_vectors(8, 1, 16)[0], stats=True).stats
    assert one.distances > 0 and not one.cut
    found = index.range_search(random_vectors(8, 6, 16), 0.0, stats=True)
    assert found.stats.shape == (6,)


@pytest.mark.slow
def test_a_deadline_cuts_a_long_search() -> None:
    index = segue.FlatIndex(64)
    index.add(random_vectors(1, 200_000, 64))
    q = random_vectors(2, 1, 64)[0]
    cut = index.search(q, 10, deadline_us=1, stats=True)
    whole = index.search(q, 10, deadline_us=60_000_000, stats=True)
    assert cut.stats.cut and not whole.stats.cut
    assert cut.stats.distances < whole.stats.distances
    assert cut.ids.shape == (10,)


def test_range_search(index: segue.Index) -> None:
    x, q = random_vectors(7, 300, 16), random_vectors(8, 7, 16)
    wanted, scores = exact(x, q, 300, index.metric)
    threshold = float(np.median(scores[:, 20]))
    found = index.range_search(q, threshold, ef=300)
    assert isinstance(found, segue.RangeResult) and found.stats is None
    assert found.offsets.dtype == np.int64 and found.offsets.shape == (8,) and found.offsets[0] == 0
    assert found.ids.shape == found.scores.shape == (found.offsets[-1],)
    for i in range(7):
        good = scores[i] <= threshold if index.metric == "l2" else scores[i] >= threshold
        np.testing.assert_array_equal(found.ids[found.offsets[i] : found.offsets[i + 1]], wanted[i][good])
    one = index.range_search(q[0], threshold, ef=300)
    assert one.offsets.tolist() == [0, found.offsets[1]]


def test_range_search_that_finds_nothing(index: segue.Index) -> None:
    nothing = -1.0 if index.metric == "l2" else 1e9
    offsets, ids, scores = index.range_search(random_vectors(8, 3, 16), nothing)
    assert offsets.tolist() == [0, 0, 0, 0] and ids.shape == scores.shape == (0,)


@pytest.mark.parametrize("storage", STORAGES)
def test_every_storage_finds_the_item_itself(kind: str, storage: str) -> None:
    x = random_vectors(3, 400, 32)
    index = make_index(kind, 32, "l2", storage=storage)
    index.add(x)
    assert index.storage == storage
    assert (index.search(x, k=1, ef=100).ids[:, 0] == np.arange(400)).mean() >= 0.99


@given(
    rows=st.integers(1, 60),
    dim=st.integers(1, 40),
    k=st.integers(1, 70),
    metric=st.sampled_from(["ip", "l2", "cosine"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_flat_scores_are_exact(rows: int, dim: int, k: int, metric: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, q = rng.standard_normal((rows, dim), dtype=np.float32), rng.standard_normal((3, dim), dtype=np.float32)
    index = segue.FlatIndex(dim, metric)
    index.add(x)
    ids, scores = index.search(q, k)
    wanted = exact(x, q, k, metric)[1]
    assert (ids[:, min(k, rows) :] == -1).all()
    np.testing.assert_allclose(scores[:, : min(k, rows)], wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_graph_recall_over_five_thousand(metric: str) -> None:
    x, q = random_vectors(11, 5000, 24), random_vectors(12, 200, 24)
    graph, flat = segue.HnswIndex(24, metric), segue.FlatIndex(24, metric)
    graph.add(x)
    flat.add(x)
    assert segue.recall(graph.search(q, 10, ef=200).ids, flat.search(q, 10).ids, 10) >= 0.97


@pytest.mark.slow
def test_flat_agrees_with_faiss(metric: str) -> None:
    faiss = pytest.importorskip("faiss", reason="faiss, the oracle, is not installed")
    x, q = random_vectors(21, 3000, 48), random_vectors(22, 100, 48)
    index = segue.FlatIndex(48, metric)
    index.add(x)
    if metric == "cosine":
        x, q = x.copy(), q.copy()
        faiss.normalize_L2(x)
        faiss.normalize_L2(q)
    oracle = faiss.IndexFlatL2(48) if metric == "l2" else faiss.IndexFlatIP(48)
    oracle.add(x)
    scores, ids = oracle.search(q, 10)
    found = index.search(q, 10)
    np.testing.assert_allclose(found.scores, scores, rtol=1e-3, atol=1e-4)
    assert segue.recall(found.ids, ids, 10) >= 0.999

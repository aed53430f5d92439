"""segue.tune and search(recall=...): the promise, the rules of k and reach, files, the bar, and bad input."""

from __future__ import annotations

import copy
import pathlib
import pickle
import threading

import numpy as np
import pytest
from conftest import METRICS, exact, random_vectors

import segue

N, D = 2000, 12


@pytest.fixture(scope="module", params=METRICS)
def graph(request: pytest.FixtureRequest) -> segue.HnswIndex:
    index = segue.HnswIndex(D, request.param, m=4, ef_construction=30)
    index.add(random_vectors(1, N, D))
    return index


@pytest.fixture
def queries() -> np.ndarray:
    return random_vectors(2, 400, D)


def test_other_queries_reach_the_recall(graph: segue.HnswIndex, queries: np.ndarray) -> None:
    index = copy.copy(graph)
    tuning = segue.tune(index, queries, k=10, recall=0.9, progress=False)
    assert isinstance(tuning, segue.Tuning)
    assert (tuning.k, tuning.recall, tuning.reached) == (10, 0.9, True)
    assert tuning.expected_recall >= 0.9 and tuning.microseconds > 0
    held_out = random_vectors(3, 1000, D)
    truth, _ = exact(random_vectors(1, N, D), held_out, 10, index.metric)
    found = index.search(held_out, 10, recall=0.9)
    # Three standard errors of a mean over 1,000 queries, each of a standard deviation of at most 0.2.
    assert segue.recall(found.ids, truth, 10) >= 0.9 - 3 * 0.2 / np.sqrt(1000)
    np.testing.assert_array_equal(found.ids, index.search(held_out, 10, ef=tuning.effort).ids)
    single = index.search(held_out[0], 10, recall=0.9, stats=True)
    np.testing.assert_array_equal(single.ids, found.ids[0])


def test_the_curve_is_a_record_array(graph: segue.HnswIndex, queries: np.ndarray) -> None:
    curve = segue.tune(copy.copy(graph), queries, recall=0.9, progress=False).curve
    assert curve.dtype.names == ("effort", "recall", "recall_low", "microseconds", "distances")
    assert (np.diff(curve.effort) > 0).all() and curve.effort[0] == 10
    assert (np.diff(curve.recall) >= 0).all() and (np.diff(curve.recall_low) >= 0).all()
    assert (curve.recall_low <= curve.recall).all() and (curve.microseconds > 0).all()


def test_truth_that_is_given_is_used(graph: segue.HnswIndex, queries: np.ndarray) -> None:
    index = copy.copy(graph)
    truth, _ = exact(random_vectors(1, N, D), queries, 20, index.metric)
    given = segue.tune(index, queries, 10, 0.9, truth, progress=False)
    computed = segue.tune(index, queries, 10, 0.9, progress=False)
    np.testing.assert_allclose(given.curve.recall, computed.curve.recall, atol=1e-3)
    wrong = segue.tune(index, queries, 10, 0.9, np.full((400, 10), 10**6), progress=False)
    assert not wrong.reached and wrong.expected_recall == 0 and wrong.effort == wrong.curve.effort[-1]


def test_items_serve_as_queries() -> None:
    index = segue.HnswIndex(D, "l2", m=4, ef_construction=30)
    index.add(random_vectors(1, N, D))
    first = segue.tune(index, recall=0.9, sample=300, progress=False)
    again = segue.tune(index, recall=0.9, sample=300, progress=False, threads=1)
    assert first.reached and first.effort == again.effort
    held_out = random_vectors(3, 500, D)
    truth, _ = exact(random_vectors(1, N, D), held_out, 10, "l2")
    assert segue.recall(index.search(held_out, 10, recall=0.9).ids, truth, 10) >= 0.9


def test_k_and_reach(graph: segue.HnswIndex, queries: np.ndarray) -> None:
    index = copy.copy(graph)
    with pytest.raises(segue.InvalidArgument, match=r"never tuned.*segue\.tune"):
        index.search(queries, 5, recall=0.9)
    tuning = segue.tune(index, queries, k=5, progress=False)
    assert index.search(queries, 3, recall=0.9).ids.shape == (400, 3)
    with pytest.raises(segue.InvalidArgument, match="k = 6.*up to 5"):
        index.search(queries, 6, recall=0.9)
    index.search(queries, 5, recall=float(tuning.curve.recall_low[-1]))
    with pytest.raises(segue.InvalidArgument, match="recall 1 is more.*at least 0.9"):
        index.search(queries, 5, recall=1)
    with pytest.raises(segue.InvalidArgument, match="recall came together with ef"):
        index.search(queries, 5, recall=0.9, ef=10)
    with pytest.raises(segue.Unsupported, match="range_search"):
        index.range_search(queries, 1.0, recall=0.9)


def test_a_flat_index_finds_all(queries: np.ndarray) -> None:
    index = segue.build(random_vectors(1, N, D), kind="flat", progress=False)
    np.testing.assert_array_equal(index.search(queries, 5, recall=0.5).ids, index.search(queries, 5).ids)
    index.range_search(queries, 1.0, recall=1.0)
    tuning = segue.tune(index, queries, progress=False)
    assert (tuning.effort, tuning.reached, tuning.expected_recall, len(tuning.curve)) == (0, True, 1.0, 1)


def test_files_pickles_and_copies_keep_the_curve(
    graph: segue.HnswIndex, queries: np.ndarray, tmp_path: pathlib.Path
) -> None:
    index = copy.copy(graph)
    segue.tune(index, queries, recall=0.9, progress=False)
    wanted = index.search(queries, recall=0.9).ids
    index.save(tmp_path / "tuned.segue")
    assert {"curves", "curve_points"} <= {section.name for section in segue.inspect(tmp_path / "tuned.segue").sections}
    for other in (
        segue.load(tmp_path / "tuned.segue"),
        segue.load(tmp_path / "tuned.segue", verify=False),
        pickle.loads(pickle.dumps(index)),
        copy.deepcopy(index),
    ):
        np.testing.assert_array_equal(other.search(queries, recall=0.9).ids, wanted)


def test_stats_say_what_changed_since(graph: segue.HnswIndex, queries: np.ndarray) -> None:
    index = copy.copy(graph)
    segue.tune(index, queries, progress=False)
    index.add(random_vectors(5, 50, D))
    index.remove([0, 1])
    stats = index.stats()
    assert (stats["tuned k=10: items then"], stats["tuned k=10: changed since"]) == (N, 52)
    assert 0.9 < stats["tuned k=10: reachable recall"] < 1


def test_progress_and_cancelling(graph: segue.HnswIndex, queries: np.ndarray) -> None:
    index = copy.copy(graph)
    seen: list[tuple[int, int]] = []
    segue.tune(index, queries, recall=0.8, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (N, N) and seen == sorted(seen)
    before = pickle.dumps(index)
    with pytest.raises(segue.Cancelled):
        segue.tune(index, queries, progress=lambda done, total: False)
    assert pickle.dumps(index) == before

    def fail(done: int, total: int) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        segue.tune(index, queries, progress=fail)
    with pytest.raises(segue.InvalidArgument, match="progress"):
        segue.tune(index, queries, progress=3)


def test_beside_searches_and_changes(graph: segue.HnswIndex, queries: np.ndarray) -> None:
    index = copy.copy(graph)
    segue.tune(index, queries, recall=0.8, progress=False)
    stop, errors = threading.Event(), []

    def search() -> None:
        while not stop.is_set():
            try:
                index.search(queries[:5], recall=0.8)
            except Exception as error:
                errors.append(error)
                return

    def change() -> None:
        for i in range(20):
            index.add(random_vectors(i, 3, D))

    threads = [threading.Thread(target=search), threading.Thread(target=search), threading.Thread(target=change)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        segue.tune(index, queries, recall=0.8, progress=False)
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    index.validate()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k is 0"),
        ({"k": 2.5}, "k is 2.5"),
        ({"recall": 0}, "recall is 0"),
        ({"recall": 1}, "recall is 1.*below 1"),
        ({"recall": float("nan")}, "recall is nan"),
        ({"recall": "high"}, "recall is 'high'"),
        ({"queries": np.ones((3, D + 1), np.float32)}, "of dim 12"),
        ({"queries": np.empty((0, D), np.float32)}, "at least one, or None"),
        ({"queries": np.full((2, D), np.nan)}, "NaN"),
        ({"truth": np.zeros((3, 10), np.int64)}, "3 rows for 400"),
        ({"truth": np.zeros((400, 9), np.int64)}, "k = 10"),
        ({"truth": np.zeros((400, 10))}, "expected integers"),
        ({"truth": np.zeros((4, 10, 10), np.int64)}, "of shape"),
        ({"queries": None, "truth": np.zeros((400, 10), np.int64)}, "without queries"),
        ({"sample": 0}, "sample is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"threads": 0}, "threads"),
    ],
)
def test_bad_input(graph: segue.HnswIndex, queries: np.ndarray, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(segue.InvalidArgument, match=message):
        segue.tune(graph, **{"queries": queries, "progress": False, **arguments})


def test_no_index_and_an_empty_one(queries: np.ndarray) -> None:
    with pytest.raises(segue.InvalidArgument, match="Index"):
        segue.tune("tracks", queries)  # type: ignore[arg-type]
    with pytest.raises(segue.InvalidArgument, match="empty"):
        segue.tune(segue.HnswIndex(D), queries)
    with pytest.raises(segue.InvalidArgument, match="recall is 2"):
        segue.FlatIndex(D).search(queries, recall=2)

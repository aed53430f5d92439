"""IvfIndex: training, lists and nprobe, growth, and the recall that segue.tune promises."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from conftest import METRICS, exact, random_vectors

import segue

N, D = 3000, 12


@pytest.mark.parametrize("metric", METRICS)
def test_all_lists_are_an_exact_search(metric: str) -> None:
    x, q = random_vectors(1, N, D), random_vectors(2, 50, D)
    index = segue.IvfIndex(D, metric, nlist=60)
    index.add(x)
    assert index.nlist == index.default_nprobe == 60
    found = index.search(q, 20, nprobe=60)
    ids, scores = exact(x, q, 20, metric)
    np.testing.assert_array_equal(found.ids, ids)
    np.testing.assert_allclose(found.scores, scores, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(index.search(q, 20, nprobe=10**6).ids, ids)


@pytest.mark.parametrize("metric", METRICS)
def test_more_lists_find_more(metric: str) -> None:
    x, q = random_vectors(1, N, D), random_vectors(2, 200, D)
    index = segue.build(x, kind="ivf", metric=metric, progress=False)
    truth, _ = exact(x, q, 10, metric)
    recalls = [segue.recall(index.search(q, 10, nprobe=n).ids, truth, 10) for n in (1, 8, 64, index.nlist)]
    assert recalls == sorted(recalls) and recalls[0] < recalls[-1] == 1
    visited = [index.search(q, 10, nprobe=n, stats=True).stats.visited.mean() for n in (1, 8, 64)]
    assert visited == sorted(visited) and visited[0] < visited[-1]


def test_a_batch_finds_what_single_queries_find() -> None:
    x, q = random_vectors(1, N, D), random_vectors(2, 40, D)
    index = segue.build(x, kind="ivf", metric="l2", progress=False)
    batch = index.search(q, 10, nprobe=5)
    for i in range(40):
        np.testing.assert_array_equal(index.search(q[i], 10, nprobe=5).ids, batch.ids[i])


def test_train_before_add_or_after() -> None:
    x = random_vectors(1, N, D)
    trained = segue.IvfIndex(D, "l2", nlist=30)
    assert (trained.nlist, len(trained)) == (0, 0)
    trained.train(x)
    assert (trained.nlist, len(trained)) == (30, 0)
    for begin in range(0, N, 700):
        trained.add(x[begin : begin + 700])
    trained.validate()
    at_once = segue.IvfIndex(D, "l2", nlist=30)
    at_once.add(x)
    q = random_vectors(2, 50, D)
    np.testing.assert_array_equal(trained.search(q, 10, nprobe=3).ids, at_once.search(q, 10, nprobe=3).ids)
    at_once.train(x[::3])
    at_once.validate()
    np.testing.assert_array_equal(at_once.search(q, 10, nprobe=30).ids, exact(x, q, 10, "l2")[0])


@pytest.mark.parametrize("metric", METRICS)
def test_given_centroids(metric: str) -> None:
    x, q = random_vectors(1, N, D), random_vectors(2, 50, D)
    one, other = segue.IvfIndex(D, metric, nlist=30), segue.IvfIndex(D, metric)
    assert one.centroids().shape == (0, D)
    one.train(x)
    other.train(x, centroids=one.centroids().astype(np.float64))
    for index in (one, other):
        index.add(x)
        index.validate()
    assert other.nlist == 30
    np.testing.assert_array_equal(other.centroids(), one.centroids())
    for nprobe in (1, 5, 30):
        np.testing.assert_array_equal(other.search(q, 10, nprobe=nprobe).ids, one.search(q, 10, nprobe=nprobe).ids)
    other.train(x[:0], centroids=x[:7])
    other.add(x)
    assert other.nlist == 7
    np.testing.assert_array_equal(copy.copy(other).centroids(), x[:7])
    for wrong, message in ((x[:7, 1:], "dimension|shape|dim"), (x[:0], "0 centroids"), (x * np.nan, "NaN")):
        with pytest.raises(segue.InvalidArgument, match=message):
            other.train(x, centroids=wrong)
    with pytest.raises(segue.InvalidArgument, match="7 centroids; give 30"):
        one.train(x, centroids=x[:7])


def test_too_few_rows_to_train_on() -> None:
    index = segue.IvfIndex(D, "l2", nlist=100)
    with pytest.raises(segue.InvalidArgument, match=r"nlist=100 .*came with 40 vectors; give at least 100"):
        index.add(random_vectors(1, 40, D))
    with pytest.raises(segue.InvalidArgument, match=r"40 vectors for nlist=100"):
        index.train(random_vectors(1, 40, D))
    assert (index.nlist, len(index)) == (0, 0)
    index.train(random_vectors(1, 100, D))
    index.add(random_vectors(1, 40, D))
    assert (index.nlist, len(index)) == (100, 40)
    for wrong in (random_vectors(1, 200, D + 1), np.full((200, D), np.nan, np.float32)):
        with pytest.raises(segue.InvalidArgument):
            index.train(wrong)
    with pytest.raises(segue.InvalidArgument, match="threads"):
        index.train(random_vectors(1, 200, D), threads=0)


def test_an_index_that_grows_is_trained_anew() -> None:
    x = random_vectors(1, 4 * N, D)
    index = segue.IvfIndex(D)
    index.add(x[: N // 10])
    small = index.nlist
    index.add(x[N // 10 :])
    assert index.nlist > 4 * small
    index.validate()
    fixed = segue.IvfIndex(D, nlist=16)
    fixed.add(x[:N])
    fixed.add(x[N:])
    assert fixed.nlist == 16


def test_the_same_index_on_any_number_of_threads() -> None:
    x = random_vectors(1, N, D)
    files = []
    for threads in (1, 2, 5):
        index = segue.IvfIndex(D, "l2", seed=3)
        index.add(x, threads=threads)
        files.append(bytes(index.__reduce_ex__(4)[1][0]))
    assert files[0] == files[1] == files[2]


@pytest.mark.parametrize("metric", METRICS)
def test_the_recall_asked_for(metric: str) -> None:
    x = random_vectors(1, N, D)
    index = segue.IvfIndex(D, metric)
    index.add(x)
    tuning = segue.tune(index, random_vectors(2, 400, D), k=10, recall=0.9, progress=False)
    assert tuning.reached and 1 <= tuning.effort < index.nlist and tuning.curve.effort[0] == 1
    held_out = random_vectors(3, 1000, D)
    found = index.search(held_out, 10, recall=0.9)
    np.testing.assert_array_equal(found.ids, index.search(held_out, 10, nprobe=tuning.effort).ids)
    assert segue.recall(found.ids, exact(x, held_out, 10, metric)[0], 10) >= 0.9 - 3 * 0.2 / np.sqrt(1000)
    again = copy.copy(index)
    np.testing.assert_array_equal(again.search(held_out, 10, recall=0.9).ids, found.ids)


def test_few_that_may_be_found_are_found() -> None:
    x = random_vectors(1, N, D)
    index = segue.build(x, kind="ivf", metric="l2", progress=False)
    for count in (3, 60, 600):  # scored by themselves, and through the lists
        allowed = np.random.default_rng(count).choice(N, count, replace=False)
        q = random_vectors(2, 20, D)
        found = index.search(q, 10, nprobe=1, filter=segue.IdSet(allowed)).ids
        assert ((found >= 0).sum(axis=1) == min(10, count)).all()
        assert np.isin(found[found >= 0], allowed).all()


def test_storage_auto_keeps_codes_and_what_they_leave_over() -> None:
    assert segue.IvfIndex(16).storage == "f32"
    index = segue.IvfIndex(64, "l2")
    assert index.storage == "pca8"
    x, q = random_vectors(1, 4000, 64), random_vectors(2, 300, 64)
    index.add(x)
    # As fine as f16, about: all directions in eight bits and four more, a number at most half of 1 / (127 * 14) off.
    assert np.abs(index.get(range(4000)) - x).max() < np.abs(x).max() * 2**-11
    found = index.search(q, 10, nprobe=10**6)
    ids, scores = exact(index.get(range(4000)), q, 10, "l2")
    np.testing.assert_allclose(found.scores, scores, rtol=1e-5)
    assert segue.recall(found.ids, exact(x, q, 10, "l2")[0], 10) > 0.998  # as f16
    plain = segue.IvfIndex(64, "l2", storage="f32")
    plain.add(x)
    assert index.memory_usage() < 0.65 * plain.memory_usage()


@pytest.mark.parametrize("metric", METRICS)
def test_codes_alone(metric: str) -> None:
    rng = np.random.default_rng(3)
    latent = rng.standard_normal((40, 24), dtype=np.float32)[rng.integers(0, 40, 20_200)]
    latent += 0.5 * rng.standard_normal(latent.shape, dtype=np.float32)
    x = latent @ rng.standard_normal((24, 128), dtype=np.float32)
    x, q = x[:20_000], x[20_000:]
    index = segue.IvfIndex(128, metric, storage="pca8")
    index.add(x)
    assert index.storage == "pca8" and index.memory_usage() / len(index) < 110
    truth, _ = exact(x, q, 10, metric)
    assert segue.recall(index.search(q, 10, nprobe=10**6).ids, truth, 10) > 0.95
    index.validate()
    # What get gives is what a search goes by.
    scores = index.search(q[:5], 3, nprobe=10**6)
    rows = index.get(scores.ids.ravel()).reshape(5, 3, 128).astype(np.float64)
    direct = ((rows - q[:5, None]) ** 2).sum(-1) if metric == "l2" else np.einsum("qkd,qd->qk", rows, q[:5])
    if metric == "cosine":
        direct /= np.linalg.norm(q[:5], axis=1)[:, None]
    np.testing.assert_allclose(scores.scores, direct, rtol=2e-3)
    again = copy.copy(index)
    np.testing.assert_array_equal(again.search(q, 10).ids, index.search(q, 10).ids)
    again.upsert(x[:10], np.arange(10))
    again.remove(np.arange(5000, 9000))
    again.add(x[:7])
    again.validate()
    assert again.search(x[3], 1).ids[0] in (3, 20_003)
    with pytest.raises(segue.Unsupported, match="nothing but codes of its 16007 items"):
        again.train(x)


@pytest.mark.parametrize("metric", METRICS)
def test_few_bits(metric: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    centres = rng.standard_normal((40, 64), dtype=np.float32)
    x = centres[rng.integers(0, 40, 8_100)] + 0.6 * rng.standard_normal((8_100, 64), dtype=np.float32)
    x, q = x[:8_000], x[8_000:]
    truth, _ = exact(x, q, 10, metric)
    found, sizes = {}, {}
    for bits in (1, 2, 4, 8):
        index = segue.IvfIndex(64, metric, storage=f"rabitq{bits}", nlist=64)
        index.add(x)
        index.validate()
        assert index.storage == f"rabitq{bits}"
        found[bits] = segue.recall(index.search(q, 10, nprobe=64).ids, truth, 10)
        sizes[bits] = index.memory_usage() / len(index)
        if metric != "l2":  # what get gives is what a search goes by
            best = index.search(q[:5], 3, nprobe=64)
            rows = index.get(best.ids.ravel()).reshape(5, 3, 64).astype(np.float64)
            direct = np.einsum("qkd,qd->qk", rows, q[:5])
            if metric == "cosine":
                direct /= np.linalg.norm(q[:5], axis=1)[:, None]
            np.testing.assert_allclose(best.scores, direct, rtol=1e-4, atol=1e-5)
    assert found[1] < found[2] < found[4] < found[8] and found[4] > 0.9 and found[8] > 0.98, found
    for bits in (2, 4, 8):
        # A dimension takes a bit more an eighth of a byte, and that is all that it takes.
        assert 0.9 < (sizes[bits] - sizes[1]) / ((bits - 1) * 8) < 1.4, sizes
    finer = segue.IvfIndex(64, metric, storage="rabitq2", rerank="sq8")
    finer.add(x)
    assert segue.recall(finer.search(q, 10, nprobe=10**6).ids, truth, 10) > 0.99
    finer.save(tmp_path / "finer.segue")
    again = segue.load(tmp_path / "finer.segue")
    np.testing.assert_array_equal(again.search(q, 10).ids, finer.search(q, 10).ids)
    assert segue.inspect(tmp_path / "finer.segue").storage == "rabitq2"


def test_few_bits_are_for_lists() -> None:
    with pytest.raises(segue.InvalidArgument, match="rabitq4, which FlatIndex does not keep"):
        segue.FlatIndex(8, storage="rabitq4")
    with pytest.raises(segue.InvalidArgument, match="rabitq4, which IvfIndex alone keeps"):
        segue.HnswIndex(8, storage="rabitq4")
    with pytest.raises(segue.InvalidArgument, match='"rabitq8"'):
        segue.IvfIndex(8, storage="rabitq9")


def test_rerank_belongs_to_codes() -> None:
    for params in ({"rerank": "sq8"}, {"storage": "f16", "rerank": "sq8"}, {"storage": "pca8", "rerank": "f16"}):
        with pytest.raises(segue.InvalidArgument, match="rerank"):
            segue.IvfIndex(64, **params)

"""Adding, replacing, removing, reading: the rows of the API that are not searches."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from conftest import KINDS, METRICS, STORAGES, make_index, random_vectors
from hypothesis import given
from hypothesis import strategies as st

import segue


def test_new_index_says_what_it_is(kind: str, metric: str) -> None:
    index = make_index(kind, 12, metric)
    assert (index.dim, index.metric, index.storage, len(index)) == (12, metric, "f32", 0)
    assert isinstance(index, segue.Index)
    assert index.ids().dtype == np.int64 and index.ids().shape == (0,)
    index.validate()


def test_defaults_are_those_of_the_documentation() -> None:
    index = segue.HnswIndex(7)
    assert (index.metric, index.m, index.ef_construction, index.seed, index.default_ef) == ("ip", 16, 200, 0, 64)
    assert segue.FlatIndex(7).metric == "ip"


def test_graph_parameters_arrive() -> None:
    index = segue.HnswIndex(8, "l2", m=5, ef_construction=77, storage="sq8", rerank="f16", seed=2**64 - 1)
    assert (index.m, index.ef_construction, index.storage, index.rerank) == (5, 77, "sq8", "f16")
    assert index.seed == 2**64 - 1


def test_add_gives_the_next_free_ids(kind: str) -> None:
    index = make_index(kind, 3)
    assert index.add(np.ones((2, 3), np.float32)) is None
    index.add(np.ones((2, 3), np.float32), ids=[10, 5])
    index.add(np.ones(3, np.float32))
    assert index.ids().tolist() == [0, 1, 5, 10, 11]
    index.remove([11])
    index.add(np.ones((1, 3), np.float32))
    assert index.ids().tolist() == [0, 1, 5, 10, 12]
    index.validate()


def test_add_of_nothing_changes_nothing(kind: str) -> None:
    index = make_index(kind, 3)
    index.add(np.empty((0, 3), np.float32))
    index.add(np.empty((0, 3), np.float32), ids=[])
    index.upsert(np.empty((0, 3), np.float32), ids=[])
    assert len(index) == 0 and index.remove([]) == 0


def test_add_of_a_known_id_adds_none(kind: str) -> None:
    index = make_index(kind, 2)
    index.add(np.ones((3, 2), np.float32))
    with pytest.raises(segue.AlreadyExists, match="2"):
        index.add(np.zeros((2, 2), np.float32), ids=[7, 2])
    assert index.ids().tolist() == [0, 1, 2]


def test_upsert_replaces_and_inserts(kind: str) -> None:
    index = make_index(kind, 2, "l2")
    index.add(np.zeros((2, 2), np.float32))
    index.upsert(np.array([[3, 4], [5, 6]], np.float32), ids=[1, 9])
    np.testing.assert_array_equal(index.get([0, 1, 9]), [[0, 0], [3, 4], [5, 6]])
    assert index.search(np.array([3, 4], np.float32), k=1).ids.tolist() == [1]
    index.validate()


def test_remove_counts_what_was_there(kind: str) -> None:
    index = make_index(kind, 2)
    index.add(np.ones((5, 2), np.float32))
    assert index.remove([1, 3, 99]) == 2
    assert index.remove(1) == 0
    assert index.remove(np.array([0])) == 1
    assert index.ids().tolist() == [2, 4]
    index.validate()


@pytest.mark.parametrize("storage", STORAGES)
def test_get_gives_what_was_added(kind: str, storage: str) -> None:
    x = random_vectors(5, 20, 33)
    index = make_index(kind, 33, "l2", storage=storage)
    index.add(x)
    largest = np.abs(x).max(axis=1, keepdims=True)
    error = {"f32": 0, "f16": 2**-11, "bf16": 2**-8, "sq8": 1 / 254 * 1.02, "sq4": 1 / 14 * 1.02}[storage]
    assert (np.abs(index.get(np.arange(20)) - x) <= error * largest).all()
    one = index.get(4)
    assert one.shape == (33,) and one.dtype == np.float32
    np.testing.assert_array_equal(one, index.get([4])[0])


def test_storage_auto_codes_what_has_grown() -> None:
    x = random_vectors(7, 5000, 40)
    index = segue.HnswIndex(40, "l2", m=8, ef_construction=40)
    index.add(x[:300])
    assert index.storage == "f32"
    index.add(x[300:])
    assert index.storage == "pca8"
    index.validate()
    np.testing.assert_allclose(index.get([5, 4000]), x[[5, 4000]], atol=1e-3)
    assert (index.search(x[:50], k=1, ef=200).ids.ravel() == np.arange(50)).mean() > 0.95


def test_pca8_is_for_distances() -> None:
    with pytest.raises(segue.InvalidArgument, match="pca8"):
        segue.HnswIndex(8, "ip", storage="pca8")
    with pytest.raises(segue.InvalidArgument, match="pca8"):
        segue.FlatIndex(8, "l2", storage="pca8")


def test_get_under_cosine_is_normalised(kind: str) -> None:
    index = make_index(kind, 2, "cosine")
    index.add(np.array([[30, 40]], np.float32))
    np.testing.assert_allclose(index.get(0), [0.6, 0.8], rtol=1e-6)


def test_get_of_an_unknown_id_names_it(kind: str) -> None:
    index = make_index(kind, 2)
    index.add(np.ones((1, 2), np.float32))
    with pytest.raises(segue.NotFound, match="41") as caught:
        index.get([0, 41, 42])
    assert isinstance(caught.value, KeyError)
    assert str(caught.value) == caught.value.args[0]  # not in quotes, as KeyError's own


def test_in_takes_integers_only(kind: str) -> None:
    index = make_index(kind, 2)
    index.add(np.ones((1, 2), np.float32), ids=[3])
    assert 3 in index and np.int16(3) in index
    assert 4 not in index and -1 not in index and 2**80 not in index
    for wrong in ("3", 3.0, True, None):
        with pytest.raises(segue.InvalidArgument, match="integer"):
            wrong in index  # noqa: B015


def test_memory_grows_with_the_vectors(kind: str) -> None:
    index = make_index(kind, 64)
    empty = index.memory_usage()
    index.add(random_vectors(1, 500, 64))
    assert index.memory_usage() >= empty + 500 * 64 * 4


def test_stats_are_named_numbers(kind: str) -> None:
    index = make_index(kind, 4)
    index.add(random_vectors(1, 50, 4))
    stats = index.stats()
    assert stats and all(isinstance(name, str) and isinstance(value, float) for name, value in stats.items())


def test_repr_tells_what_matters(kind: str) -> None:
    index = make_index(kind, 6, "cosine")
    index.add(random_vectors(1, 1234, 6))
    text = repr(index)
    assert text.startswith(type(index).__name__ + "(") and "dim=6" in text and "'cosine'" in text and "1,234" in text


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_copies_are_apart(kind: str, how: object) -> None:
    index = make_index(kind, 4, "l2")
    index.add(random_vectors(1, 20, 4))
    twin = how(index)
    index.remove([3])
    assert type(twin) is type(index) and 3 in twin and len(twin) == 20
    twin.add(np.ones((1, 4), np.float32))
    assert len(index) == 19


def test_an_index_that_a_subclass_did_not_make_is_an_error() -> None:
    class Lazy(segue.FlatIndex):
        def __init__(self) -> None:
            pass

    with pytest.raises(TypeError, match="__init__"):
        Lazy()
    unmade = segue.FlatIndex.__new__(segue.FlatIndex)
    for use in (len, repr, lambda i: i.search([1.0]), lambda i: i.dim, lambda i: i.ids(), lambda i: i.add([[1.0]])):
        with pytest.raises(segue.InvalidArgument, match="not made"):
            use(unmade)
    with pytest.raises(segue.InvalidArgument, match="no segue.Index"):
        segue.Index.add(5, [[1.0]])


def test_the_base_class_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        segue.Index()


@given(
    kind=st.sampled_from(list(KINDS)),
    metric=st.sampled_from(METRICS),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["add", "upsert", "remove"]), st.lists(st.integers(0, 30), max_size=8, unique=True)
        ),
        max_size=12,
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_an_index_behaves_as_a_dict(kind: str, metric: str, steps: list, seed: int) -> None:
    rng = np.random.default_rng(seed)
    index, model = make_index(kind, 5, metric), {}
    for step, ids in steps:
        rows = rng.standard_normal((len(ids), 5), dtype=np.float32)
        if step == "remove":
            assert index.remove(ids) == sum(model.pop(i, None) is not None for i in ids)
        elif step == "add" and model.keys() & set(ids):
            with pytest.raises(segue.AlreadyExists):
                index.add(rows, ids)
        else:
            (index.add if step == "add" else index.upsert)(rows, ids)
            model.update(zip(ids, rows))
        index.validate()
        assert index.ids().tolist() == sorted(model)
    if model:
        wanted = np.array([model[i] for i in sorted(model)])
        if metric == "cosine":
            wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
        np.testing.assert_allclose(index.get(sorted(model)), wanted, rtol=1e-5, atol=1e-6)
        found = index.search(rng.standard_normal(5), k=40, ef=64).ids
        assert sorted(found[found >= 0].tolist()) == sorted(model)

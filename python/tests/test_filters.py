"""IdSet, and what filter= and exclude= take."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from conftest import exact, make_index, random_vectors
from hypothesis import given
from hypothesis import strategies as st

import segue

ids_strategy = st.lists(st.one_of(st.integers(0, 200), st.integers(0, 2**40), st.just(2**63 - 1)), max_size=40)


@given(ids_strategy, ids_strategy, st.booleans(), st.booleans())
def test_sets_behave_as_sets(a: list[int], b: list[int], flip_a: bool, flip_b: bool) -> None:
    universe = {*a, *b, *range(50)}
    left = ~segue.IdSet(a) if flip_a else segue.IdSet(a)
    right = ~segue.IdSet(b) if flip_b else segue.IdSet(b)
    model_a = universe - set(a) if flip_a else set(a)
    model_b = universe - set(b) if flip_b else set(b)
    for found, wanted in (
        (left & right, model_a & model_b),
        (left | right, model_a | model_b),
        (~left, universe - model_a),
        (left & ~right, model_a - model_b),
    ):
        assert {i for i in universe if i in found} == wanted
    assert len(left) == len(set(a)) and left.is_complement == flip_a
    assert left.ids().tolist() == sorted(set(a))
    assert ~~left == left and (left == right) == (flip_a == flip_b and set(a) == set(b))
    assert bool(left) == (flip_a or bool(a))


@pytest.mark.parametrize("ids", [[5, 1, 1], np.array([1, 5], np.uint8), {1, 5}, iter([5, 1]), (1, 5), {1: "a", 5: "b"}])
def test_sets_from_what_holds_ids(ids: object) -> None:
    assert segue.IdSet(ids).ids().tolist() == [1, 5]
    assert segue.IdSet(range(3, 9, 2)).ids().tolist() == [3, 5, 7]
    assert len(segue.IdSet()) == len(segue.IdSet([])) == 0


def test_sets_from_masks() -> None:
    mask = random_vectors(1, 1, 200_000)[0] > 0
    assert segue.IdSet.from_mask(mask).ids().tolist() == np.flatnonzero(mask).tolist()
    assert segue.IdSet.from_mask(mask[::2]).ids().tolist() == np.flatnonzero(mask[::2]).tolist()
    assert segue.IdSet.from_mask([True, False, True]).ids().tolist() == [0, 2]
    for wrong in ([1, 0], np.ones((2, 2), bool), "x", None):
        with pytest.raises(segue.InvalidArgument, match="mask"):
            segue.IdSet.from_mask(wrong)


def test_sets_in_words() -> None:
    assert repr(segue.IdSet([3])) == "IdSet(1 id: 3)"
    assert repr(segue.IdSet()) == "IdSet(0 ids)"
    assert repr(~segue.IdSet(range(100))) == "IdSet(all but 100 ids: 0, 1, 2, 3, 4, 5, ...)"


def test_sets_are_no_keys_and_know_their_kind() -> None:
    with pytest.raises(TypeError):
        hash(segue.IdSet())
    with pytest.raises(TypeError):
        segue.IdSet() & {1}
    assert segue.IdSet([1]) != {1}
    with pytest.raises(segue.InvalidArgument, match="integer"):
        "a" in segue.IdSet()  # noqa: B015
    assert -1 not in ~segue.IdSet() and 2**70 not in ~segue.IdSet()


@pytest.mark.parametrize("flip", [False, True])
def test_sets_travel(flip: bool) -> None:
    made = ~segue.IdSet([4, 2**50]) if flip else segue.IdSet([4, 2**50])
    for twin in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert twin == made


@pytest.fixture
def index(kind: str, metric: str) -> segue.Index:
    made = make_index(kind, 12, metric)
    made.add(random_vectors(31, 400, 12))
    return made


def nearest(metric: str, allowed: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    x = random_vectors(31, 400, 12)
    return allowed[exact(x[allowed], queries, k, metric)[0]]


@pytest.mark.parametrize("share", [0.02, 0.4, 0.97])
def test_filters(index: segue.Index, share: float) -> None:
    mask = np.random.default_rng(5).random(400) < share
    q, allowed = random_vectors(32, 9, 12), np.flatnonzero(mask)
    wanted = nearest(index.metric, allowed, q, 5)
    for given_filter in (
        mask,
        mask.tolist(),
        np.repeat(mask, 2)[::2],
        segue.IdSet(allowed),
        ~segue.IdSet(np.flatnonzero(~mask)),
        segue.IdSet.from_mask(mask) & segue.IdSet(range(400)),
    ):
        np.testing.assert_array_equal(index.search(q, 5, ef=400, filter=given_filter).ids, wanted)
    assert index.search(q, 5, filter=segue.IdSet()).ids.max() == -1


def test_a_mask_ends_where_it_ends(index: segue.Index) -> None:
    ids = index.search(random_vectors(32, 3, 12), 400, ef=400, filter=np.ones(10, bool)).ids
    assert np.sort(ids)[:, -10:].tolist() == [list(range(10))] * 3 and (np.sort(ids)[:, :-10] == -1).all()
    longer = index.search(random_vectors(32, 3, 12), 3, ef=400, filter=np.ones(100_000, bool)).ids
    np.testing.assert_array_equal(longer, index.search(random_vectors(32, 3, 12), 3, ef=400).ids)


@pytest.mark.parametrize("wrong", [[1, 2], np.array([1, 2]), np.ones((2, 2), bool), "all", 7, np.ones(4)], ids=str)
def test_filters_that_are_none(index: segue.Index, wrong: object) -> None:
    with pytest.raises(segue.InvalidArgument, match="filter"):
        index.search(np.ones(12, np.float32), filter=wrong)


def test_exclude_for_all_queries(index: segue.Index) -> None:
    q = random_vectors(32, 4, 12)
    banned = np.unique(index.search(q, 5, ef=400).ids)
    wanted = nearest(index.metric, np.setdiff1d(np.arange(400), banned), q, 5)
    for form in (banned, banned.tolist(), set(banned.tolist()), banned.astype(np.uint16), [*banned.tolist(), 10**9, -1]):
        np.testing.assert_array_equal(index.search(q, 5, ef=400, exclude=form).ids, wanted)
    np.testing.assert_array_equal(
        index.search(q, 5, ef=400, exclude=[]).ids, index.search(q, 5, ef=400, exclude=None).ids
    )


def test_exclude_a_list_a_query(index: segue.Index) -> None:
    q = random_vectors(32, 3, 12)
    first = index.search(q, 8, ef=400).ids
    lists = [first[0, :2], [], first[2].tolist()]
    found = index.search(q, 8, ef=400, exclude=lists).ids
    for i in range(3):
        allowed = np.setdiff1d(np.arange(400), np.asarray(lists[i], np.int64))
        np.testing.assert_array_equal(found[i], nearest(index.metric, allowed, q[i : i + 1], 8)[0])
    np.testing.assert_array_equal(
        index.search(q, 8, ef=400, exclude=first).ids, index.search(q, 8, ef=400, exclude=list(first)).ids
    )
    one = index.search(q[0], 8, ef=400, exclude=[first[0]]).ids
    assert not set(one) & set(first[0])


def test_exclude_with_filter(index: segue.Index) -> None:
    q = random_vectors(32, 2, 12)
    found = index.search(q, 30, ef=400, filter=segue.IdSet(range(20)), exclude=range(15)).ids
    assert np.sort(found)[:, -5:].tolist() == [[15, 16, 17, 18, 19]] * 2 and (np.sort(found)[:, :-5] == -1).all()
    offsets, ids, _ = index.range_search(
        q, 1e9 if index.metric == "l2" else -1e9, ef=400, filter=segue.IdSet(range(20)), exclude=[[1], range(19)]
    )
    assert sorted(ids[: offsets[1]]) == [0, *range(2, 20)] and ids[offsets[1] :].tolist() == [19]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([[1], [2]], "2 lists for 3 queries"),
        ([np.ones(2)] * 3, r"exclude\[0\].*float64"),
        ([[1], 2, [3]], r"exclude\[1\]"),
        (np.ones(3), "float64"),
        (segue.IdSet([1]), "filter=~"),
        ([[1], [2], segue.IdSet([1])], "filter=~"),
        ("abc", "abc"),
        (np.zeros((1, 1, 1), int), r"\(1, 1, 1\)"),
        (np.zeros((2, 4), int), "2 lists for 3 queries"),
        ([[1], [2], [[3]]], r"exclude\[2\]"),
    ],
    ids=str,
)
def test_excludes_that_are_none(index: segue.Index, wrong: object, message: str) -> None:
    with pytest.raises(segue.InvalidArgument, match=message):
        index.search(random_vectors(32, 3, 12), exclude=wrong)

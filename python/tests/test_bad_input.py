"""What bad input gets: an error of the right kind that says what came and what was expected, and no change."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import KINDS, make_index

import segue

INF, NAN = float("inf"), float("nan")
ONE = np.ones(4, np.float32)


@pytest.fixture
def index(kind: str) -> segue.Index:
    made = make_index(kind, 4, "l2")
    made.add(np.eye(4, dtype=np.float32))
    return made


def row(value: float, at: int) -> np.ndarray:
    x = np.ones((5, 4), np.float32)
    x[at, 2] = value
    return x


BAD_VECTORS = {
    "another dimension": (np.ones((2, 5), np.float32), r"\(2, 5\).*\(n, 4\)"),
    "one of another dimension": (np.ones(3, np.float32), r"\(3,\).*\(n, 4\)"),
    "three dimensions": (np.ones((2, 2, 4), np.float32), r"\(2, 2, 4\)"),
    "no dimension": (np.float32(1), r"\(\)"),
    "integers": (np.ones((2, 4), np.int32), "int32.*float32"),
    "a list of integers": ([1, 2, 3, 4], "int64.*float32"),
    "booleans": (np.ones((2, 4), bool), "bool"),
    "complex": (np.ones((2, 4), complex), "complex128"),
    "long doubles": (np.ones((2, 4), np.longdouble), "float128|longdouble|float64"),
    "text": (np.array([["a"] * 4]), "<U1"),
    "objects": (np.array([[1.0, None, 2.0, 3.0]], object), "object"),
    "ragged lists": ([[1.0, 2.0], [3.0]], "no array"),
    "a str": ("abcd", "'abcd'.*str"),
    "None": (None, "None"),
    "a dict": ({"a": 1}, "dict"),
    "a masked array": (np.ma.masked_array(np.ones((1, 4), np.float32), mask=True), "masked"),
    "NaN": (row(NAN, 3), "3"),
    "infinity": (row(INF, 2), "2"),
    "a float64 that is too large": (row(1, 0).astype(np.float64) * 1e300, "0"),
}


@pytest.mark.parametrize("case", BAD_VECTORS)
def test_vectors(index: segue.Index, case: str) -> None:
    value, message = BAD_VECTORS[case]
    rows = len(value) if isinstance(value, np.ndarray) and value.ndim == 2 else 1
    calls = {
        "add": lambda: index.add(value),
        "upsert": lambda: index.upsert(value, range(rows)),
        "search": lambda: index.search(value),
        "range_search": lambda: index.range_search(value, 1.0),
    }
    for call in calls.values():
        with pytest.raises(segue.InvalidArgument, match=message) as caught:
            call()
        assert isinstance(caught.value, ValueError) and isinstance(caught.value, segue.Error)
    assert index.ids().tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(index.get([0, 1, 2, 3]), np.eye(4))


def test_build_takes_matrices_only() -> None:
    for value in (ONE, np.ones((1, 1, 4), np.float32), "x", np.ones((2, 4), int)):
        with pytest.raises(segue.InvalidArgument):
            segue.build(value, progress=False)
    with pytest.raises(segue.InvalidArgument, match="dim"):
        segue.build(np.ones((3, 0), np.float32), progress=False)


def test_zero_vectors_under_cosine(kind: str) -> None:
    index = make_index(kind, 4, "cosine")
    x = np.ones((4, 4), np.float32)
    x[2] = 0
    for call in (lambda: index.add(x), lambda: index.upsert(x, range(4)), lambda: index.search(x)):
        with pytest.raises(segue.InvalidArgument, match="2"):
            call()
    assert len(index) == 0


BAD_IDS = {
    "floats": (np.array([1.0, 2.0]), "float64.*int64"),
    "booleans": (np.array([True, False]), "bool"),
    "beyond int64": (np.array([1, 2**63], np.uint64), str(2**63)),
    "far beyond int64": ([1, 2**70], "2?.*integers"),
    "text": (["a", "b"], "<U1"),
    "a str": ("ab", "'ab'"),
    "None in a list": ([1, None], "None"),
    "two dimensions": (np.array([[5, 6]]), r"\(1, 2\)"),
}


@pytest.mark.parametrize("case", BAD_IDS)
def test_ids(index: segue.Index, case: str) -> None:
    value, message = BAD_IDS[case]
    x = np.ones((2, 4), np.float32)
    for call in (
        lambda: index.add(x, value),
        lambda: index.upsert(x, value),
        lambda: index.remove(value),
        lambda: index.get(value),
        lambda: segue.IdSet(value),
        lambda: segue.build(x, value, progress=False),
    ):
        with pytest.raises(segue.InvalidArgument, match=message):
            call()
    assert index.ids().tolist() == [0, 1, 2, 3]


def test_negative_and_repeated_ids(index: segue.Index) -> None:
    x = np.ones((2, 4), np.float32)
    for change in (index.add, index.upsert):
        with pytest.raises(segue.InvalidArgument, match="-3"):
            change(x, [7, -3])
        with pytest.raises(segue.InvalidArgument, match="7"):
            change(x, [7, 7])
    with pytest.raises(segue.InvalidArgument, match="-3"):
        segue.IdSet([-3])
    assert index.ids().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("ids", [[], [8], [8, 9, 10]])
def test_as_many_ids_as_vectors(index: segue.Index, ids: list[int]) -> None:
    for call in (index.add, index.upsert):
        with pytest.raises(segue.InvalidArgument, match=f"2 vectors.*{len(ids)} ids"):
            call(np.ones((2, 4), np.float32), ids)


@pytest.mark.parametrize("name", ["k", "ef", "nprobe", "deadline_us", "threads"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "3", True, 2**70, [1]])
def test_numbers_of_a_search(index: segue.Index, name: str, value: object) -> None:
    with pytest.raises(segue.InvalidArgument, match=f"{name} is .*expected an integer of 1"):
        index.search(ONE, **{name: value})


def test_k_none_is_an_error(index: segue.Index) -> None:
    with pytest.raises(segue.InvalidArgument, match="k is None"):
        index.search(ONE, k=None)


def test_results_that_no_memory_holds(index: segue.Index) -> None:
    with pytest.raises(segue.OutOfMemory) as caught:
        index.search(np.ones((2_000_000, 4), np.float32), k=2**31 - 1)
    assert isinstance(caught.value, MemoryError)


@pytest.mark.parametrize("threshold", [NAN, "1", None, True, [1, 2]])
def test_thresholds(index: segue.Index, threshold: object) -> None:
    with pytest.raises(segue.InvalidArgument, match="threshold"):
        index.range_search(ONE, threshold)


@pytest.mark.parametrize("make", KINDS.values())
def test_parameters_of_every_index(make: type) -> None:
    for dim in (0, 65537, -1, 4.0, "4", None, 2**70):
        with pytest.raises(segue.InvalidArgument, match="dim"):
            make(dim)
    with pytest.raises(segue.InvalidArgument, match="euclid.*ip"):
        make(4, "euclid")
    with pytest.raises(segue.InvalidArgument, match="f64.*f32"):
        make(4, storage="f64")
    for wrong in (None, 3, b"ip"):
        with pytest.raises(segue.InvalidArgument, match="metric"):
            make(4, wrong)
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize(
    "params",
    [
        {"m": 1},
        {"m": 257},
        {"m": "16"},
        {"m": -2},
        {"ef_construction": 0},
        {"ef_construction": 65537},
        {"seed": -1},
        {"seed": 2**64},
        {"seed": 0.5},
        {"rerank": "sq8"},
        {"storage": "f16", "rerank": "bf16"},
        {"rerank": "f128"},
    ],
    ids=str,
)
def test_parameters_of_graphs(params: dict) -> None:
    name = "rerank" if "rerank" in params and "128" not in str(params) else next(iter(params))
    with pytest.raises(segue.InvalidArgument, match=name if "128" not in str(params) else "f128"):
        segue.HnswIndex(4, **params)
    with pytest.raises(segue.InvalidArgument):
        segue.build(np.ones((2, 4), np.float32), kind="hnsw", progress=False, **params)


@pytest.mark.parametrize("params", [{"nlist": wrong} for wrong in (0, -1, 2**20 + 1, 2.5, "many", None)], ids=str)
def test_parameters_of_lists(params: dict) -> None:
    with pytest.raises(segue.InvalidArgument, match="nlist is"):
        segue.IvfIndex(4, **params)
    with pytest.raises(segue.InvalidArgument, match="nlist is"):
        segue.build(np.ones((2, 4), np.float32), kind="ivf", progress=False, **params)


def test_parameters_of_build() -> None:
    x = np.ones((2, 4), np.float32)
    with pytest.raises(segue.InvalidArgument, match="tree.*flat, hnsw and ivf"):
        segue.build(x, kind="tree", progress=False)
    with pytest.raises(segue.InvalidArgument, match="links.*known.*ef_construction"):
        segue.build(x, links=3, progress=False)
    with pytest.raises(segue.InvalidArgument, match="kind='flat'.*no parameter m"):
        segue.build(x, kind="flat", m=8, progress=False)
    with pytest.raises(segue.InvalidArgument, match="kind='ivf'.*no parameter ef_construction; known: .*nlist"):
        segue.build(x, kind="ivf", ef_construction=8, progress=False)
    with pytest.raises(segue.InvalidArgument, match="progress"):
        segue.build(x, progress="yes")
    with pytest.raises(segue.InvalidArgument, match="threads"):
        segue.build(x, threads=0, progress=False)


def test_recall_of_what_does_not_fit() -> None:
    good = np.zeros((3, 5), np.int64)
    for ids, truth, k in ((good[:2], good, 5), (good, good, 0), (good, good, 6), (good[:, :2], good, 3), (good, good, 1.5)):
        with pytest.raises(segue.InvalidArgument):
            segue.recall(ids, truth, k)
    with pytest.raises(segue.InvalidArgument, match="float"):
        segue.recall(good.astype(float), good, 3)
    with pytest.raises(segue.InvalidArgument, match=r"\(1, 3, 5\)"):
        segue.recall(good[None], good, 3)

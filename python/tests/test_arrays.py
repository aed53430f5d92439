"""What may come in: every kind of float array, every kind of ids; what is read where it lies, and what is copied."""

from __future__ import annotations

import array
import ctypes
import tracemalloc

import numpy as np
import pytest
from conftest import random_vectors

import segue
from segue import _segue

X = np.random.default_rng(4).standard_normal((6, 8)).astype(np.float32)


class Interface:
    """Speaks numpy's array interface only."""

    def __init__(self, base: np.ndarray) -> None:
        self.base = base
        self.__array_interface__ = base.__array_interface__


class Producer:
    """Speaks DLPack only, from where it is told."""

    def __init__(self, base: np.ndarray, device: tuple[int, int] = (1, 0)) -> None:
        self.base, self.device = base, device

    def __dlpack__(self, **options: object) -> object:
        return self.base.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device


class Refuser(Producer):
    def __dlpack__(self, **options: object) -> object:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")


class Nowhere(Producer):
    def __dlpack_device__(self) -> tuple[int, int]:
        raise ValueError("Unknown device type meta for Dlpack")


def unaligned(x: np.ndarray) -> np.ndarray:
    raw = np.empty(x.nbytes + 1, np.uint8)[1:]
    made = raw.view(np.float32).reshape(x.shape)
    made[:] = x
    assert not made.flags.aligned
    return made


def read_only(x: np.ndarray) -> np.ndarray:
    made = x.copy()
    made.flags.writeable = False
    return made


FORMS = {
    "float32": lambda x: x,
    "float64": lambda x: x.astype(np.float64),
    "float16": lambda x: x.astype(np.float16),
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "Fortran order": np.asfortranarray,
    "Fortran order float64": lambda x: np.asfortranarray(x.astype(np.float64)),
    "every second column": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "rows reversed": lambda x: x[::-1].copy()[::-1],
    "rows broadcast": lambda x: np.broadcast_to(x, x.shape),
    "unaligned": unaligned,
    "read-only": read_only,
    "subclass": lambda x: x.view(np.matrix) if x.ndim == 2 else x,
    "memoryview": memoryview,
    "ctypes": lambda x: (ctypes.c_float * x.size).from_buffer_copy(x.tobytes())
    if x.ndim == 1
    else (ctypes.c_float * x.shape[1] * x.shape[0]).from_buffer_copy(x.tobytes()),
    "array interface": lambda x: Interface(np.ascontiguousarray(x)),
    "DLPack": lambda x: Producer(np.ascontiguousarray(x)),
    "lists": lambda x: x.tolist(),
    "tuples": lambda x: tuple(map(tuple, x.tolist())) if x.ndim == 2 else tuple(x.tolist()),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_every_form_of_floats(form: str) -> None:
    index = segue.FlatIndex(8, "l2")
    index.add(FORMS[form](X))
    wanted = X.astype(np.float16).astype(np.float32) if form == "float16" else X
    np.testing.assert_array_equal(index.get(np.arange(6)), wanted)
    np.testing.assert_array_equal(index.search(FORMS[form](X), k=1).ids[:, 0], np.arange(6))
    assert index.search(FORMS[form](X[3]), k=1).ids.tolist() == [3]
    assert len(segue.build(FORMS[form](X), progress=False)) == 6


def test_one_vector_of_the_array_module() -> None:
    index = segue.FlatIndex(3)
    index.add(array.array("f", [1, 2, 3]))
    index.add(array.array("d", [4, 5, 6]))
    np.testing.assert_array_equal(index.get([0, 1]), [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    "form", ["float32", "read-only", "memoryview", "ctypes", "array interface", "DLPack"]
)
def test_contiguous_float32_is_read_where_it_lies(form: str) -> None:
    held = FORMS[form](X)
    base = held.base if isinstance(held, (Interface, Producer)) else np.asarray(held)
    assert _segue._address_of(held) == base.ctypes.data


def test_a_slice_of_rows_and_a_mapped_file_are_not_copied(tmp_path: object) -> None:
    assert _segue._address_of(X[2:5]) == X.ctypes.data + 2 * 8 * 4
    mapped = np.memmap(tmp_path / "x.f32", np.float32, "w+", shape=(5, 8))
    assert _segue._address_of(mapped) == mapped.ctypes.data


@pytest.mark.parametrize("form", ["float64", "Fortran order", "unaligned", "lists"])
def test_what_must_be_converted_is(form: str) -> None:
    held = FORMS[form](X)
    assert not isinstance(held, np.ndarray) or _segue._address_of(held) != held.ctypes.data


def test_a_search_over_contiguous_float32_takes_no_memory_for_the_queries() -> None:
    index = segue.FlatIndex(256)
    index.add(np.ones((1, 256), np.float32))
    q = np.ones((20_000, 256), np.float32)

    def peak(queries: np.ndarray) -> int:
        tracemalloc.start()
        index.search(queries, k=1)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    results = 20_000 * 12
    assert peak(q) < results + 100_000
    assert peak(q.astype(np.float64)) > q.nbytes  # the measure does see a copy


def test_torch_tensors() -> None:
    torch = pytest.importorskip("torch", reason="torch is not here: tools/test_torch.sh tests it by the distribution's Python")
    x = torch.from_numpy(X.copy())
    assert _segue._address_of(x) == x.data_ptr()
    index = segue.FlatIndex(8, "l2")
    index.add(x.double(), ids=torch.arange(6))
    index.add(x.half(), ids=torch.arange(6, 12))
    np.testing.assert_array_equal(index.search(x.t().contiguous().t(), k=1).ids[:, 0], np.arange(6))
    with pytest.raises(segue.InvalidArgument, match="detach"):
        index.search(x.clone().requires_grad_())
    with pytest.raises(segue.InvalidArgument, match="float"):
        index.search(x.bfloat16())
    with pytest.raises(segue.InvalidArgument, match="CPU"):
        index.search(x.to("meta"))


@pytest.mark.parametrize(("device", "name"), [((2, 1), "cuda:1"), ((10, 0), "rocm:0"), ((99, 0), "99")])
def test_memory_of_a_device_is_refused(device: tuple[int, int], name: str) -> None:
    with pytest.raises(segue.InvalidArgument, match=rf"{name}.*\.cpu\(\)"):
        segue.FlatIndex(8).add(Producer(X, device))


def test_a_tensor_that_does_not_export_says_why() -> None:
    with pytest.raises(segue.InvalidArgument, match="detach"):
        segue.FlatIndex(8).add(Refuser(X))
    with pytest.raises(segue.InvalidArgument, match="CPU.*meta"):
        segue.FlatIndex(8).add(Nowhere(X))


@pytest.mark.parametrize(
    "ids",
    [
        [3, 1, 2, 0, 5, 4],
        (3, 1, 2, 0, 5, 4),
        np.array([3, 1, 2, 0, 5, 4], np.int64),
        np.array([3, 1, 2, 0, 5, 4], np.uint8),
        np.array([3, 1, 2, 0, 5, 4], np.uint64),
        np.array([3, 1, 2, 0, 5, 4], ">i4"),
        np.repeat(np.array([3, 1, 2, 0, 5, 4]), 2)[::2],
        array.array("q", [3, 1, 2, 0, 5, 4]),
        Producer(np.array([3, 1, 2, 0, 5, 4])),
        (i for i in [3, 1, 2, 0, 5, 4]),
        dict.fromkeys([3, 1, 2, 0, 5, 4]).keys(),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'dtype', '')}",
)
def test_every_form_of_ids(ids: object) -> None:
    index = segue.FlatIndex(8)
    index.add(X, ids)
    np.testing.assert_array_equal(index.get(3), X[0])
    np.testing.assert_array_equal(index.get(4), X[5])


def test_ids_from_a_range() -> None:
    index = segue.FlatIndex(8)
    index.add(X, range(100, 112, 2))
    assert index.ids().tolist() == list(range(100, 112, 2))
    index.remove({100, 102})
    assert len(index) == 4


def test_the_caller_may_reuse_the_array() -> None:
    x = random_vectors(9, 50, 8)
    index = segue.HnswIndex(8, "l2")
    index.add(x)
    before = index.get(range(50))
    x[:] = 0
    np.testing.assert_array_equal(index.get(range(50)), before)

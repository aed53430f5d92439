"""From what people have to what the library reads: float32 matrices, int64 ids, boolean masks.

The compiled module reads C-contiguous float32 and int64 numpy arrays where they lie and calls this for
everything else. Each function raises InvalidArgument with what came and what was expected.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ._errors import InvalidArgument

_MAX_ID = np.iinfo(np.int64).max
# DLPack's numbers of memory that the processor can read: its own, pinned by CUDA or ROCm, managed by CUDA.
_HOST_DEVICES = (1, 3, 11, 13)
_DEVICE_NAMES = {2: "cuda", 4: "opencl", 7: "vulkan", 8: "metal", 10: "rocm", 14: "oneapi"}


def as_floats(value: Any, what: str) -> np.ndarray:
    """C-contiguous float32 with the values of `value`, which is used as it is where it can be."""
    array = _as_array(value, what, "a float array")
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        raise InvalidArgument(
            f"{what} are of dtype {array.dtype}, expected float32 (or float16 or float64); "
            "convert with .astype('float32')"
        )
    # Too large a float64 becomes infinity, which the library then reports with its row.
    with np.errstate(over="ignore", invalid="ignore"):
        return np.require(array, np.float32, ["C_CONTIGUOUS", "ALIGNED", "ENSUREARRAY"])


def as_ids(value: Any, what: str) -> np.ndarray:
    """C-contiguous int64; of no dimension for a single integer."""
    array = _as_array(_listed(value), what, "integers")
    if array.size == 0 and array.dtype == np.float64 and not isinstance(value, np.ndarray):
        array = array.astype(np.int64)  # numpy's dtype of []
    if array.dtype.kind not in "iu":
        raise InvalidArgument(f"{what} are {_kind(array, value)}, expected integers (int64)")
    if array.dtype == np.uint64 and array.size > 0 and array.max() > _MAX_ID:
        raise InvalidArgument(f"{what} hold {array.max()}, expected at most {_MAX_ID} (int64)")
    return np.require(array, np.int64, ["C_CONTIGUOUS", "ALIGNED", "ENSUREARRAY"])


def as_numbers(value: Any, what: str) -> np.ndarray:
    """C-contiguous float32 of one dimension, from floats or integers: weights, scores."""
    array = _as_array(_listed(value), what, "numbers")
    if array.dtype.kind not in "fiu":
        raise InvalidArgument(f"{what} are {_kind(array, value)}, expected numbers")
    if array.ndim > 1:
        raise InvalidArgument(f"{what} are of shape {array.shape}, expected (n,)")
    with np.errstate(over="ignore"):
        return np.require(array.reshape(-1), np.float32, ["C_CONTIGUOUS", "ALIGNED", "ENSUREARRAY"])


def as_mask(value: Any, what: str = "filter") -> np.ndarray:
    """C-contiguous booleans of one dimension."""
    array = _as_array(value, what, "a segue.IdSet or a boolean array")
    if array.dtype.kind != "b":
        raise InvalidArgument(
            f"{what} is of dtype {array.dtype}, expected a segue.IdSet or a boolean array indexed by id; "
            "for a list of ids pass segue.IdSet(ids)"
        )
    if array.ndim != 1:
        raise InvalidArgument(f"{what} is of shape {array.shape}, expected (n,), indexed by id")
    return np.require(array, np.bool_, ["C_CONTIGUOUS", "ENSUREARRAY"])


def as_exclude(value: Any, queries: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Ids and, where each query has its own, the offsets at which the queries' lists start."""
    if isinstance(value, (list, tuple)) and any(not _is_integer(v) for v in value):
        lists = [as_ids(_no_set(v), f"exclude[{i}]") for i, v in enumerate(value)]
    elif isinstance(value, np.ndarray) and value.ndim == 2:
        lists = list(as_ids(value, "exclude"))
    else:
        ids = as_ids(_no_set(value), "exclude")
        if ids.ndim > 1:
            raise InvalidArgument(f"exclude is of shape {ids.shape}, expected (m,), or a list with one array a query")
        return ids.reshape(-1), None
    if len(lists) != queries:
        raise InvalidArgument(
            f"exclude has {len(lists)} lists for {queries} queries, expected one a query, or one array for all"
        )
    for i, ids in enumerate(lists):
        if ids.ndim != 1:
            raise InvalidArgument(f"exclude[{i}] is of shape {ids.shape}, expected (m,)")
    offsets = np.zeros(queries + 1, np.uintp)
    np.cumsum([len(ids) for ids in lists], out=offsets[1:])
    return (np.concatenate(lists) if lists else np.empty(0, np.int64)), offsets


def _as_array(value: Any, what: str, expected: str) -> np.ndarray:
    """The numpy array that `value` is, wraps or exports; copied only if it is a list."""
    if isinstance(value, np.ma.MaskedArray):
        raise InvalidArgument(f"{what} are a masked array, expected a plain one; fill it with .filled() or drop rows")
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        return _from_dlpack(value, what)
    if hasattr(value, "__cuda_array_interface__"):
        raise InvalidArgument(f"{what} are in the memory of a GPU, expected memory of the CPU; copy them first")
    if isinstance(value, (str, bytes, bytearray)) or value is None:
        raise _unexpected(value, what, expected)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:  # ragged lists, failed exports
        raise InvalidArgument(f"{what} are no array: {error}; expected {expected}") from None
    if array.dtype.kind == "O" and array.ndim == 0:
        raise _unexpected(value, what, expected)
    return array


def _from_dlpack(value: Any, what: str) -> np.ndarray:
    try:
        device, number = value.__dlpack_device__()
    except Exception as error:  # torch's meta device, which has no memory
        raise InvalidArgument(f"{what} are in no memory of the CPU: {error}") from None
    if int(device) not in _HOST_DEVICES:
        name = _DEVICE_NAMES.get(int(device), f"DLPack device {int(device)}")
        raise InvalidArgument(
            f"{what} are on {name}:{number}, expected memory of the CPU; copy them first, for instance with .cpu()"
        )
    try:
        return np.from_dlpack(value)
    except Exception as error:  # each producer has its own way to refuse
        raise InvalidArgument(
            f"{what} of {type(value).__module__}.{type(value).__qualname__} cannot be read through DLPack: {error}; "
            "expected float16, float32 or float64, or integers for ids, without gradient (.detach(), .float())"
        ) from None


def _listed(value: Any) -> Any:
    """What numpy would not take apart: ranges, sets, generators, dict keys."""
    if isinstance(value, range):
        return np.arange(value.start, value.stop, value.step, dtype=np.int64)
    if isinstance(value, (np.ndarray, list, tuple, str, bytes, bytearray, memoryview)):
        return value
    if hasattr(value, "__array__") or hasattr(value, "__array_interface__") or hasattr(value, "__dlpack__"):
        return value
    if isinstance(value, Iterable) and not _exports_buffer(value):
        return list(value)
    return value


def _exports_buffer(value: Any) -> bool:
    try:
        memoryview(value).release()
    except TypeError:
        return False
    return True


def _no_set(value: Any) -> Any:
    if type(value).__name__ == "IdSet":
        raise InvalidArgument("exclude is an IdSet, expected arrays of ids; pass filter=~ids instead")
    return value


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _kind(array: np.ndarray, value: Any) -> str:
    if array.dtype.kind == "O" and isinstance(value, (list, tuple, set, frozenset)):
        odd = next((v for v in value if not _is_integer(v) or not -_MAX_ID <= v <= _MAX_ID), None)
        return f"objects such as {odd!r} ({type(odd).__name__})"
    return f"of dtype {array.dtype}"


def _unexpected(value: Any, what: str, expected: str) -> InvalidArgument:
    text = repr(value)
    text = text if len(text) <= 60 else text[:60] + "..."
    return InvalidArgument(f"{what} are {text} ({type(value).__name__}), expected {expected}")

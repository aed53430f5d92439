"""Columns of Arrow, without a Python object a value. Imported only where there is something of pyarrow to read."""

from __future__ import annotations

import importlib
from typing import Any, Optional

import numpy as np

from ._columns import Parts, _same, _whole, numbers_parts
from ._errors import InvalidArgument

# Without types of its own.
pa: Any = importlib.import_module("pyarrow")
pc: Any = importlib.import_module("pyarrow.compute")


def arrow_parts(name: str, values: Any, kind: Optional[str]) -> Parts:
    """A pyarrow.Array or ChunkedArray."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.ChunkedArray):  # no chunk at all, in versions of before 2024
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    if not isinstance(values, pa.Array):
        raise InvalidArgument(f"column {name!r} is a {type(values).__name__}, expected a pyarrow.Array")
    kinds = pa.types
    gaps = values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None
    of = values.type
    if kinds.is_null(of):
        if kind is None:
            raise InvalidArgument(
                f"column {name!r} has no value to tell its type by; give types={{{name!r}: 'category'}}"
            )
        return _all_missing(name, len(values), kind)
    if kinds.is_dictionary(of):
        if not _is_text(of.value_type):
            return arrow_parts(name, values.dictionary_decode(), kind)
        return _category(name, values, kind, gaps)
    if _is_text(of):
        if kind == "date":
            return _dates(name, pc.cast(values, pa.timestamp("s")), gaps)
        return _category(name, values.dictionary_encode(), kind, gaps)
    if kinds.is_list(of) or kinds.is_large_list(of) or kinds.is_fixed_size_list(of):
        return _sets(name, values, kind, gaps)
    if kinds.is_date(of) or kinds.is_timestamp(of):
        return _dates(name, values, gaps, kind)
    if kinds.is_boolean(of):
        numbers = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
        return numbers_parts(name, _same(name, "boolean", kind), numbers, gaps)
    if kinds.is_integer(of):
        numbers = pc.fill_null(values, 0).to_numpy(zero_copy_only=False)
        if numbers.dtype == np.uint64 and numbers.size and numbers.max() > np.iinfo(np.int64).max:
            raise InvalidArgument(f"column {name!r} holds {numbers.max()}, integers fit 64 bits with a sign")
        return numbers_parts(name, "float" if kind == "float" else _same(name, "integer", kind), numbers, gaps)
    if kinds.is_floating(of):
        reals = pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False)
        if kind == "integer":
            return numbers_parts(name, kind, *_whole(name, reals))
        return numbers_parts(name, _same(name, "float", kind), reals, gaps)
    raise InvalidArgument(
        f"column {name!r} is of Arrow's type {of}, of which there is no column; leave it out or cast it"
    )


def _is_text(of: Any) -> bool:
    return bool(pa.types.is_string(of) or pa.types.is_large_string(of))


def _all_missing(name: str, rows: int, kind: str) -> Parts:
    gaps = np.ones(rows, np.bool_)
    if kind == "set":
        return name, kind, np.empty(0, np.int64), None, np.zeros(rows + 1, np.int64), [], gaps
    if kind == "category":
        return name, kind, np.zeros(rows, np.int64), None, None, [], gaps
    return numbers_parts(name, kind, np.zeros(rows), gaps)


def _category(name: str, values: Any, kind: Optional[str], gaps: Any) -> Parts:
    codes = pc.fill_null(values.indices, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return name, _same(name, "category", kind), codes, None, None, values.dictionary.to_pylist(), gaps


def _sets(name: str, values: Any, kind: Optional[str], gaps: Any) -> Parts:
    flat = values.flatten()  # without what null lists cover
    if pa.types.is_dictionary(flat.type):
        flat = flat.dictionary_decode()
    if not _is_text(flat.type) or flat.null_count:
        raise InvalidArgument(f"column {name!r} is of Arrow's type {values.type}; sets hold texts, and none is null")
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    encoded = flat.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return name, _same(name, "set", kind), codes, None, offsets, encoded.dictionary.to_pylist(), gaps


def _dates(name: str, values: Any, gaps: Any, kind: Optional[str] = None) -> Parts:
    """Fractions of seconds are cut off, towards the past; times with a zone are kept in UTC by Arrow itself."""
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    if pa.types.is_date32(values.type):
        counts, unit = pc.cast(pc.cast(values, pa.int32()), pa.int64()), None
    else:
        counts, unit = pc.cast(values, pa.int64()), "ms" if pa.types.is_date64(values.type) else values.type.unit
    numbers = pc.fill_null(counts, 0).to_numpy(zero_copy_only=False)
    seconds = numbers * 86_400 if unit is None else numbers // per_second[unit]
    return numbers_parts(name, _same(name, "date", kind), seconds, gaps)

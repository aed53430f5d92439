"""Vectors that need not be in memory: what `build(out=...)` reads, in pieces and in order.

A source has `rows`, `dim` and `read(first, count)`, a float array of shape (count, dim). Files of numpy and .fbin need none:
the compiled module reads them.
"""

from __future__ import annotations

import importlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from ._errors import CorruptFile, InvalidArgument, Unsupported


def is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike))


def open_source(vectors: Any, column: Optional[str]) -> Any:
    """What the compiled module takes: a path that it can read, an array that it can view, or a source."""
    from . import io

    if not is_path(vectors):
        if column is not None:
            raise InvalidArgument(f"column is {column!r}, and the vectors are no .parquet file")
        return _ArrayRows(vectors) if _is_to_be_converted(vectors) else vectors
    path = io._check_path(vectors, column)
    if path.suffix == ".parquet":
        return ParquetRows(path, column)
    if path.suffix == ".fvecs":
        return _ArrayRows(io.read_vectors(path))
    return str(path)


def shape_of(source: Any) -> tuple[int, int]:
    """Rows and dimension of what open_source() gives."""
    from . import io

    if isinstance(source, str):
        source = io.read_vectors(source)
    if hasattr(source, "read"):
        return source.rows, source.dim
    shape = np.shape(source)
    return (int(shape[0]), int(shape[1])) if len(shape) == 2 else (0, 0)


def _is_to_be_converted(vectors: Any) -> bool:
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or vectors.dtype.kind != "f":
        return False  # it is viewed, or refused
    return vectors.dtype.itemsize <= 8 and not (vectors.dtype == np.float32 and vectors.flags.c_contiguous)


class _ArrayRows:
    """Of an array, in memory or mapped, that is not what the library reads: converted piece by piece."""

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self._array = array
        self.rows, self.dim = array.shape

    def read(self, first: int, count: int) -> npt.NDArray[Any]:
        return self._array[first : first + count]


class ParquetRows:
    """A column of lists of one length. Memory: a piece, and what pyarrow needs of a row group while it decodes it."""

    def __init__(self, path: pathlib.Path, column: Optional[str]) -> None:
        parquet, arrow = pyarrow()
        try:
            # Column chunks are read through a buffer, not whole.
            self._file = parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
        except (arrow.ArrowInvalid, OSError) as error:
            raise CorruptFile(f"{path}: no whole Parquet file: {error}") from error
        self._path = path
        self._damaged = (arrow.ArrowInvalid, OSError)
        self._column = self._choose(column, arrow.types)
        self._batches: Iterator[Any] = iter(())
        self._left = np.empty((0, 0), np.float32)
        self._next = 0
        self.rows = int(self._file.metadata.num_rows)
        self.dim = 0
        if self.rows > 0:
            self._rewind(1)
            self.dim = self._batch().shape[1]
            self._next = -1

    def _choose(self, column: Optional[str], types: Any) -> str:
        lists = [
            field.name
            for field in self._file.schema_arrow
            if types.is_list(field.type) or types.is_fixed_size_list(field.type) or types.is_large_list(field.type)
        ]
        if column is None:
            if len(lists) != 1:
                names = ", ".join(lists)
                raise InvalidArgument(f"{self._path} has {len(lists)} columns of lists ({names}); name one by column")
            return str(lists[0])
        if column not in lists:
            raise InvalidArgument(
                f"{self._path} has no column {column!r} of lists; it has {', '.join(lists) or 'none'}"
            )
        return column

    def read(self, first: int, count: int) -> npt.NDArray[Any]:
        if first != self._next:
            self._rewind(max(count, 1))
            while self._next < first:  # nobody asks for that, but it is right
                self._take(min(first - self._next, 4096))
        return self._take(count)

    def _rewind(self, size: int) -> None:
        self._batches = self._file.iter_batches(size, columns=[self._column], use_threads=False)
        self._left = np.empty((0, self.dim), np.float32)
        self._next = 0

    def _take(self, count: int) -> npt.NDArray[Any]:
        parts, have = [], 0
        while have < count:
            if len(self._left) == 0:
                self._left = self._batch()
            part = self._left[: count - have]
            self._left = self._left[len(part) :]
            parts.append(part)
            have += len(part)
        self._next += count
        return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else self._left[:0]

    def _batch(self) -> npt.NDArray[Any]:
        try:
            values = next(self._batches).column(0)
        except StopIteration:
            raise CorruptFile(f"{self._path}: it holds fewer than the {self.rows} rows that it says") from None
        except self._damaged as error:
            raise CorruptFile(f"{self._path}: no whole Parquet file: {error}") from error
        flat = values.flatten().to_numpy(zero_copy_only=False)
        lengths = values.value_lengths().to_numpy(zero_copy_only=False)
        if len(values) == 0 or values.null_count or len(flat) == 0 or len(flat) % len(values) != 0:
            raise CorruptFile(
                f"{self._path}: column {self._column!r} holds no lists, empty ones, or lists of different lengths"
            )
        dim = self.dim or len(flat) // len(values)
        if (lengths != dim).any():
            raise CorruptFile(
                f"{self._path}: column {self._column!r} holds lists of {lengths.min()} to {lengths.max()} numbers, "
                f"expected {dim}"
            )
        rows: npt.NDArray[Any] = flat.reshape(-1, dim)
        return rows


def pyarrow() -> Any:
    try:
        return importlib.import_module("pyarrow.parquet"), importlib.import_module("pyarrow")
    except ImportError as error:
        raise Unsupported("Parquet files need pyarrow (pip install pyarrow)") from error

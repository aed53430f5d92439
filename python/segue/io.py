"""Vectors in files of other tools: numpy, big-ann (fbin), TEXMEX (fvecs), Parquet; and FAISS indexes, both ways.

Files of numpy, fbin and fvecs are mapped, not read: of a set larger than memory only the pages in use are there.
"""

from __future__ import annotations

import importlib
import os
import pathlib
from typing import Any, Literal, Optional, Union

import numpy as np
import numpy.typing as npt

from . import _segue
from ._errors import CorruptFile, FileNotFound, InvalidArgument, IoError, Unsupported
from ._sources import ParquetRows, pyarrow

__all__ = ["from_faiss", "read_vectors", "to_faiss", "write_vectors"]

_Path = Union[str, "os.PathLike[str]"]
_FORMATS = "npy, fbin, fvecs, parquet"


def read_vectors(path: _Path, *, column: Optional[str] = None) -> npt.NDArray[Any]:
    """The vectors of a file, by its suffix.

    Args:
        path: .npy (an array of two dimensions), .fbin (two uint32, rows and dimension, then
            float32), .fvecs (each row an int32, its dimension, then float32) or .parquet (a
            column of lists of one length; needs pyarrow).
        column: Of a .parquet file; None: the only one that holds lists.

    Returns:
        Array of shape (n, d): in memory from .parquet, otherwise mapped and read-only.

    Raises:
        FileNotFound: No such file.
        CorruptFile: Not what its suffix says, or cut off.
        InvalidArgument: Another suffix, or a column that is not there.
        Unsupported: .parquet without pyarrow.

    Example:
        >>> import os, tempfile, numpy as np, segue
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "three.fbin")
        ...     segue.io.write_vectors(path, np.eye(3, dtype=np.float32))
        ...     segue.io.read_vectors(path).shape
        (3, 3)
    """
    where = _check_path(path, column)
    if where.suffix == ".parquet":
        return _read_parquet(where, column)
    return {".npy": _read_npy, ".fbin": _read_fbin, ".fvecs": _read_fvecs}[where.suffix](where)


def write_vectors(path: _Path, vectors: npt.ArrayLike, *, column: str = "vector") -> None:
    """Writes vectors to a file whose suffix says how; it appears whole or not at all.

    Args:
        path: As in `read_vectors`.
        vectors: Array of shape (n, d). .fbin and .fvecs hold float32, others what came.
        column: What the column of a .parquet file is called.

    Raises:
        InvalidArgument: Another suffix, or an array of another shape.
        IoError: The operating system refused.
        Unsupported: .parquet without pyarrow.

    Example:
        >>> import os, tempfile, numpy as np, segue
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     segue.io.write_vectors(os.path.join(folder, "x.npy"), np.ones((2, 4), np.float32))
    """
    where = pathlib.Path(path)
    rows = np.asarray(vectors)
    if rows.ndim != 2:
        raise InvalidArgument(f"vectors are of shape {rows.shape}, expected (n, d)")
    writer = {".npy": _write_npy, ".fbin": _write_fbin, ".fvecs": _write_fvecs}.get(where.suffix)
    if writer is None and where.suffix != ".parquet":
        raise InvalidArgument(f"{where.name} is of no known format; known are {_FORMATS}")
    beside = where.with_name(f".{where.name}.{os.getpid()}.tmp")
    try:
        if writer is None:
            _write_parquet(beside, rows, column)
        else:
            writer(beside, rows)
        os.replace(beside, where)
    except OSError as error:
        raise IoError(f"{where}: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)


def _check_path(path: _Path, column: Optional[str]) -> pathlib.Path:
    """A file of a known format."""
    where = pathlib.Path(path)
    if where.suffix not in (".npy", ".fbin", ".fvecs", ".parquet"):
        raise InvalidArgument(f"{where.name} is of no known format; known are {_FORMATS}")
    if column is not None and where.suffix != ".parquet":
        raise InvalidArgument(f"column is {column!r}, and {where.name} has none; only .parquet files do")
    if not where.exists():
        raise FileNotFound(f"{where}: there is no such file")
    if where.is_dir():
        raise IoError(f"{where} is a directory, expected a file")
    return where


def _read_npy(path: pathlib.Path) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise CorruptFile(f"{path}: no whole .npy file: {error}") from error
    if array.ndim != 2:
        raise CorruptFile(f"{path} holds an array of shape {array.shape}, expected (n, d)")
    return array


def _read_fbin(path: pathlib.Path) -> npt.NDArray[Any]:
    bytes_there = path.stat().st_size
    if bytes_there < 8:
        raise CorruptFile(f"{path} has {bytes_there} bytes, too few for the head of an .fbin file")
    rows, dim = (int(x) for x in np.fromfile(path, np.uint32, 2))
    wanted = 8 + 4 * rows * dim
    if dim == 0 or bytes_there != wanted:
        raise CorruptFile(f"{path} says that it holds {rows} x {dim} floats, {wanted} bytes, and has {bytes_there}")
    if rows == 0:
        return np.empty((0, dim), np.float32)
    return np.memmap(path, np.float32, "r", 8, (rows, dim))


def _read_fvecs(path: pathlib.Path) -> npt.NDArray[Any]:
    bytes_there = path.stat().st_size
    words: npt.NDArray[Any] = np.memmap(path, np.int32, "r") if bytes_there >= 4 and bytes_there % 4 == 0 else np.empty(0)
    if len(words) == 0 or words[0] <= 0 or len(words) % (words[0] + 1) != 0:
        raise CorruptFile(f"{path} does not hold whole rows of one dimension, as an .fvecs file does")
    table = words.reshape(-1, words[0] + 1)
    if (table[:, 0] != words[0]).any():
        raise CorruptFile(f"{path} holds rows of other dimensions than the first, which has {words[0]}")
    return table[:, 1:].view(np.float32)


def _read_parquet(path: pathlib.Path, column: Optional[str]) -> npt.NDArray[Any]:
    rows = ParquetRows(path, column)
    if rows.rows == 0:
        raise CorruptFile(f"{path} holds no vectors")
    return rows.read(0, rows.rows)


def _write_npy(path: pathlib.Path, rows: npt.NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, rows, allow_pickle=False)


def _write_fbin(path: pathlib.Path, rows: npt.NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.array(rows.shape, np.uint32).tofile(file)
        np.ascontiguousarray(rows, np.float32).tofile(file)


def _write_fvecs(path: pathlib.Path, rows: npt.NDArray[Any]) -> None:
    table = np.empty((len(rows), rows.shape[1] + 1), np.int32)
    table[:, 0] = rows.shape[1]
    table[:, 1:] = np.ascontiguousarray(rows, np.float32).view(np.int32)
    with path.open("wb") as file:
        table.tofile(file)


def _write_parquet(path: pathlib.Path, rows: npt.NDArray[Any], column: str) -> None:
    parquet, arrow = pyarrow()
    values = arrow.FixedSizeListArray.from_arrays(arrow.array(rows.ravel()), rows.shape[1])
    parquet.write_table(arrow.table({column: values}), path)


def _faiss() -> Any:
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise Unsupported("FAISS indexes need faiss (pip install faiss-cpu)") from error


def from_faiss(index: Any) -> _segue.Index:
    """An index of the vectors and ids of a FAISS index.

    A flat index becomes a FlatIndex, inverted lists an IvfIndex with as many lists, HNSW an
    HnswIndex with as many links; under IDMap or not. Vectors are those that FAISS would
    reconstruct, as float32: what product or scalar quantisation rounded stays rounded.

    Lists keep their centres, so nothing is trained, and rows join the nearest by l2. Under L2
    that is what FAISS does: at the same nprobe the answers are the same, but for ties that
    rounding decides and where the lists hold fewer than k rows, where Segue looks further.
    Under inner product Segue ranks lists by what their best item promises, so at the same
    nprobe the answers may differ; centres that `train` finds serve that better than FAISS's,
    which are of length 1. Links of graphs are made anew. With all lists or a large `ef` the
    answers are the same.

    Args:
        index: A faiss.Index, or the path of a file that faiss.write_index wrote.

    Returns:
        FlatIndex, IvfIndex or HnswIndex.

    Raises:
        Unsupported: A kind or a metric that Segue does not have (it is named); no faiss here.
        FileNotFound, CorruptFile: Of a path.

    Example:
        >>> import numpy as np, segue
        >>> faiss = __import__("pytest").importorskip("faiss")
        >>> theirs = faiss.IndexFlatL2(4)
        >>> theirs.add(np.eye(4, dtype=np.float32))
        >>> segue.io.from_faiss(theirs).search(np.eye(4, dtype=np.float32)[2], k=1).ids
        array([2])
    """
    faiss = _faiss()
    if isinstance(index, (str, os.PathLike)):
        if not os.path.exists(index):
            raise FileNotFound(f"{os.fspath(index)}: there is no such file")
        try:
            index = faiss.read_index(os.fspath(index))
        except RuntimeError as error:
            raise CorruptFile(f"{os.fspath(index)}: no FAISS index: {error}") from error
    if not isinstance(index, faiss.Index):
        raise InvalidArgument(f"index is {type(index).__name__}, expected a faiss.Index or a path")
    # What downcast_index gives owns nothing: what it was given has to live until all is read.
    whole = index
    index = faiss.downcast_index(whole)
    ids: Optional[npt.NDArray[np.int64]] = None
    if isinstance(index, faiss.IndexIDMap):
        ids = faiss.vector_to_array(index.id_map).astype(np.int64)
        index = faiss.downcast_index(index.index)
    metrics: dict[int, Literal["l2", "ip"]] = {faiss.METRIC_L2: "l2", faiss.METRIC_INNER_PRODUCT: "ip"}
    if index.metric_type not in metrics:
        raise Unsupported(f"the FAISS index has metric {index.metric_type}; Segue has L2 and inner product")
    metric = metrics[index.metric_type]
    made: _segue.Index
    if isinstance(index, faiss.IndexIVF):
        vectors, own_ids = _rows_of_lists(faiss, index)
        ids = own_ids if ids is None else ids[own_ids]
        made = _segue.IvfIndex(index.d, metric, nlist=index.nlist, storage="f32")
        if index.is_trained and index.quantizer.ntotal == index.nlist:
            made.train(vectors, centroids=index.quantizer.reconstruct_n(0, index.nlist))
    elif isinstance(index, faiss.IndexHNSWFlat):
        vectors = index.reconstruct_n(0, index.ntotal)
        links = index.hnsw.nb_neighbors(1)
        made = _segue.HnswIndex(
            index.d, metric, m=max(2, links), ef_construction=index.hnsw.efConstruction, storage="f32"
        )
    elif isinstance(index, faiss.IndexFlat):
        vectors = index.reconstruct_n(0, index.ntotal)
        made = _segue.FlatIndex(index.d, metric)
    else:
        raise Unsupported(
            f"the FAISS index is {type(index).__name__}; Segue reads IndexFlat, IndexIVFFlat, "
            "IndexIVFScalarQuantizer, IndexIVFPQ and IndexHNSWFlat, under IndexIDMap or not"
        )
    del whole
    if len(vectors):
        made.add(vectors, ids)
    return made


def _rows_of_lists(faiss: Any, index: Any) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Decoded vectors and ids, list after list."""
    # Kinds that derive from these keep rows otherwise: IndexIVFFlatDedup equal ones once.
    kinds = (faiss.IndexIVFFlat, faiss.IndexIVFScalarQuantizer, faiss.IndexIVFPQ)
    if type(index) not in kinds:
        raise Unsupported(f"the FAISS index is {type(index).__name__}; of inverted lists Segue reads Flat, SQ and PQ")
    if sum(index.invlists.list_size(number) for number in range(index.nlist)) != index.ntotal:
        raise CorruptFile(f"the FAISS index is an {type(index).__name__} whose lists do not hold its {index.ntotal} rows")
    vectors = np.empty((index.ntotal, index.d), np.float32)
    ids = np.empty(index.ntotal, np.int64)
    row = np.empty(index.d, np.float32)
    at = 0
    for number in range(index.nlist):
        size = index.invlists.list_size(number)
        if size == 0:
            continue
        pointer = index.invlists.get_ids(number)
        ids[at : at + size] = faiss.rev_swig_ptr(pointer, size)
        index.invlists.release_ids(number, pointer)
        for offset in range(size):
            index.reconstruct_from_offset(number, offset, faiss.swig_ptr(row))
            vectors[at + offset] = row
        at += size
    return vectors, ids


def to_faiss(index: _segue.Index, path: Optional[_Path] = None) -> Any:
    """A FAISS index of the vectors and ids of an index, as float32.

    A FlatIndex becomes IndexFlat, an IvfIndex IndexIVFFlat with the same lists (IndexFlat
    before it is trained), an HnswIndex IndexHNSWFlat with as many links, which FAISS makes
    anew; under IndexIDMap2 unless ids are 0 to n - 1 or the lists keep them. Under "cosine"
    vectors are normalised and the metric is inner product, with lists ranked by l2: normalise
    queries before asking.

    Args:
        index: An index.
        path: Where to write it too, whole or not at all, or None.

    Returns:
        faiss.Index.

    Raises:
        Unsupported: No faiss here.
        IoError: FAISS could not write the file.

    Example:
        >>> import numpy as np, segue
        >>> _ = __import__("pytest").importorskip("faiss")
        >>> ours = segue.FlatIndex(4, "l2")
        >>> ours.add(np.eye(4, dtype=np.float32), ids=[9, 8, 7, 6])
        >>> segue.io.to_faiss(ours).search(np.eye(4, dtype=np.float32)[:1], 1)[1]
        array([[9]])
    """
    faiss = _faiss()
    metric = faiss.METRIC_L2 if index.metric == "l2" else faiss.METRIC_INNER_PRODUCT
    ids = index.ids()
    vectors = index.get(ids)
    inner: Any
    if isinstance(index, _segue.IvfIndex) and index.nlist > 0:
        inner = _lists_to_faiss(faiss, index, vectors, ids)
    elif isinstance(index, _segue.HnswIndex):
        inner = faiss.IndexHNSWFlat(index.dim, index.m, metric)
        inner.hnsw.efConstruction = index.ef_construction
    else:
        inner = faiss.IndexFlat(index.dim, metric)
    made = inner
    if isinstance(inner, faiss.IndexIVF):
        pass
    elif np.array_equal(ids, np.arange(len(ids))):
        made.add(vectors)
    else:
        made = faiss.IndexIDMap2(inner)
        made.add_with_ids(vectors, ids)
        inner.this.disown()
        made.own_fields = True
    if path is not None:
        where = pathlib.Path(path)
        beside = where.with_name(f".{where.name}.{os.getpid()}.tmp")
        try:
            faiss.write_index(made, os.fspath(beside))
            os.replace(beside, where)
        except (RuntimeError, OSError) as error:
            raise IoError(f"{where}: FAISS could not write it: {error}") from error
        finally:
            beside.unlink(missing_ok=True)
    return made


def _lists_to_faiss(
    faiss: Any, index: _segue.IvfIndex, vectors: npt.NDArray[np.float32], ids: npt.NDArray[np.int64]
) -> Any:
    """Each row in the list nearest by l2, as in an IvfIndex, whatever the metric.

    FAISS would deal out by the product where the metric is that, and the longest centres would
    get most rows. Under "cosine" lists are ranked by l2 too.
    """
    centroids = index.centroids()
    nearest = faiss.IndexFlatL2(index.dim)
    nearest.add(centroids)
    metric = faiss.METRIC_L2 if index.metric == "l2" else faiss.METRIC_INNER_PRODUCT
    quantizer = faiss.IndexFlat(index.dim, faiss.METRIC_INNER_PRODUCT if index.metric == "ip" else faiss.METRIC_L2)
    quantizer.add(centroids)
    made = faiss.IndexIVFFlat(quantizer, index.dim, len(centroids), metric)
    quantizer.this.disown()
    made.own_fields = True
    made.is_trained = True
    if len(ids):
        lists = np.ascontiguousarray(nearest.assign(vectors, 1).ravel())
        made.add_core(len(ids), *(faiss.swig_ptr(array) for array in (vectors, ids, lists)))
    return made

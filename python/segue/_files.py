"""Index files: open, look at, check."""

from __future__ import annotations

import os
from typing import Union

from . import _segue
from ._results import FileInfo, FileSection

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


def load(path: Path, mmap: bool = True, verify: bool = True) -> _segue.Index:
    """Opens an index file.

    Loading runs no code from the file and trusts nothing in it.

    Args:
        path: str, bytes or os.PathLike.
        mmap: Map the file: its pages are read when first used and are shared between
            processes. Changes to the index stay in memory and never reach the file. False
            reads it all at once.
        verify: Check all sums and every link before returning, which reads the whole file.
            Without it, opening takes microseconds whatever the size, and a damaged file may
            give wrong answers, but no crash.

    Returns:
        FlatIndex or HnswIndex, as it was saved.

    Raises:
        FileNotFound: No such file.
        IoError: The operating system refused; a directory.
        CorruptFile: Not a whole index file; the message says what it is instead.

    Example:
        >>> import os, tempfile, numpy as np, segue
        >>> index = segue.FlatIndex(2)
        >>> index.add(np.eye(2, dtype=np.float32))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "two.segue")
        ...     index.save(path)
        ...     copy = segue.load(path)
        >>> copy.search(np.array([0, 1], np.float32), k=1).ids
        array([1])
    """
    return _segue._load(path, mmap, verify)


def inspect(path: Path) -> FileInfo:
    """What the header and the section table of an index file say, without reading the rest.

    Args:
        path: str, bytes or os.PathLike.

    Returns:
        FileInfo.

    Raises:
        FileNotFound, IoError, CorruptFile: As in `load`.

    Example:
        >>> import os, tempfile, segue
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "graph.segue")
        ...     segue.HnswIndex(8).save(path)
        ...     segue.inspect(path).kind
        'hnsw'
    """
    fields, sections = _segue._inspect(path)
    return FileInfo(*fields, sections=[FileSection(*section) for section in sections])


def verify(path: Path) -> None:
    """Checks all sums, and every range and link, of an index file.

    Args:
        path: str, bytes or os.PathLike.

    Raises:
        FileNotFound, IoError, CorruptFile: As in `load`.

    Example:
        >>> import os, tempfile, segue
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "graph.segue")
        ...     segue.HnswIndex(8).save(path)
        ...     segue.verify(path)
    """
    _segue._verify(path)

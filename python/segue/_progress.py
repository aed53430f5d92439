"""A progress bar for a terminal or a notebook, and silence everywhere else."""

from __future__ import annotations

import importlib
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Optional, TextIO

from ._errors import InvalidArgument

Callback = Optional[Callable[[int, int], Any]]


@contextmanager
def show(progress: Any) -> Iterator[Callback]:
    """The callback for a long call; what it drew is finished when the block ends."""
    if callable(progress):
        yield progress
        return
    if not isinstance(progress, bool):
        raise InvalidArgument(f"progress is {progress!r} ({type(progress).__name__}), expected a bool or a callable")
    bar = _bar() if progress else None
    if bar is None:
        yield None
        return
    try:
        yield bar
    finally:
        bar.close()


def _bar() -> _TextBar | _NotebookBar | None:
    if _in_notebook():
        try:
            return _NotebookBar()
        except ImportError:  # no tqdm, or no widgets for it
            return _TextBar(sys.stdout, 79)
    stream = sys.stderr
    if stream is None or not stream.isatty():
        return None
    return _TextBar(stream, shutil.get_terminal_size().columns - 1)


def _in_notebook() -> bool:
    # Only a process that already imported IPython can be a notebook's.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


class _TextBar:
    """One line that is drawn over itself: share, bar, items, seconds gone and left."""

    def __init__(self, stream: TextIO, width: int) -> None:
        self._stream = stream
        self._width = width
        self._start = time.monotonic()
        self._drawn = 0

    def __call__(self, done: int, total: int) -> None:
        seconds = time.monotonic() - self._start
        share = done / total if total else 1.0
        left = f", {seconds * (1 - share) / share:.0f} s left" if 0 < share < 1 else ""
        text = f"{done:,}/{total:,} items, {seconds:.1f} s{left}"
        cells = max(min(40, self._width - len(text) - 9), 0)
        bar = "#" * int(cells * share) + "." * (cells - int(cells * share))
        line = f"{share:4.0%} [{bar}] {text}"[: self._width]
        self._stream.write("\r" + line + " " * (self._drawn - len(line)))
        self._stream.flush()
        self._drawn = len(line)

    def close(self) -> None:
        if self._drawn:
            self._stream.write("\n")
            self._stream.flush()


class _NotebookBar:
    """tqdm's widget."""

    def __init__(self) -> None:
        tqdm = importlib.import_module("tqdm.notebook").tqdm
        self._bar = tqdm(total=0, unit=" items", unit_scale=True)

    def __call__(self, done: int, total: int) -> None:
        if self._bar.total != total:
            self._bar.reset(total)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self._bar.close()

"""Trace hooks: callbacks around what the library does."""

from __future__ import annotations

import atexit
from typing import Any, Callable, Optional

from . import _segue
from ._errors import InvalidArgument


def set_tracer(
    start: Optional[Callable[[str], Any]], end: Optional[Callable[[Any, Optional[str]], object]] = None
) -> None:
    """Calls `start` and `end` around every call of the library that works, for the whole process.

    Names: "segue.search", "segue.range_search", "segue.add", "segue.upsert", "segue.remove",
    "segue.snapshot", "segue.replace", "segue.replay" (LiveIndex) and "segue.swap" (Serving).
    Both are called in the thread of the call, so that a span has the parent that the caller's
    context says. What they raise goes to `sys.unraisablehook`, and the call goes on. Without a
    tracer nothing is called and nothing is paid. docs/observability.md ties it to OpenTelemetry.

    Args:
        start: Called with the name of a span; what it returns is the span. None: no tracer.
        end: Called with the span, and with None or what the call failed with. None: not called.

    Raises:
        InvalidArgument: Something that cannot be called.

    Example:
        >>> import segue
        >>> names = []
        >>> segue.set_tracer(names.append)
        >>> index = segue.FlatIndex(2)
        >>> index.add([[1.0, 0.0]])
        >>> segue.set_tracer(None)
        >>> names
        ['segue.add']
    """
    for name, callback in (("start", start), ("end", end)):
        if callback is not None and not callable(callback):
            raise InvalidArgument(f"{name} is {callback!r}, expected a function or None")
    _segue._set_tracer(start, end)


# A thread that writes a snapshot must not come for an interpreter that is going.
atexit.register(_segue._end_tracing)

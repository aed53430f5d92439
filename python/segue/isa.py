"""Which instruction set the kernels run on.

The best that processor and operating system support is chosen on first use. The environment
variable SEGUE_ISA, or `use`, override it, for tests and to reproduce results of another machine.
"""

from __future__ import annotations

from . import _segue

__all__ = ["active", "available", "use"]


def available() -> list[str]:
    """The instruction sets that this machine can run, slowest first.

    Returns:
        list of str, such as ["scalar", "avx2", "avx512"].

    Example:
        >>> import segue
        >>> segue.isa.available()[0]
        'scalar'
    """
    return _segue._isa_available()


def active() -> str:
    """The instruction set that indexes made from now on will use.

    Returns:
        str, one of `available`.

    Example:
        >>> import segue
        >>> segue.isa.active() in segue.isa.available()
        True
    """
    return _segue._isa_active()


def use(name: str) -> None:
    """Chooses the instruction set of the indexes made from now on; those that exist keep theirs.

    Args:
        name: One of `available`.

    Raises:
        InvalidArgument: An unknown name, or one that this machine cannot run; lists those it can.

    Example:
        >>> import segue
        >>> before = segue.isa.active()
        >>> segue.isa.use("scalar")
        >>> segue.isa.active()
        'scalar'
        >>> segue.isa.use(before)
    """
    _segue._isa_use(name)

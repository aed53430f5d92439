"""Exceptions: one class a kind, all under Error, each also of Python's own class of that kind."""


class Error(Exception):
    """Whatever goes wrong in segue. The message says what came and what was expected."""

    def __str__(self) -> str:
        # KeyError would show the message in quotes, OSError would look for an errno.
        return str(self.args[0]) if self.args else ""


class InvalidArgument(Error, ValueError):
    """Something was passed that no index would take: a shape, a dtype, a number, a name."""


class NotFound(Error, KeyError):
    """An id that is not in the index."""


class FileNotFound(NotFound, FileNotFoundError):
    """A file that is not there."""


class AlreadyExists(Error, ValueError):
    """An id that is already in the index."""


class IoError(Error, OSError):
    """The operating system refused; the message names the call."""


class CorruptFile(Error, OSError):
    """Bytes that are not a whole index; the message names the section."""


class OutOfMemory(Error, MemoryError):
    """Memory for an index or a result could not be had."""


class Cancelled(Error, RuntimeError):
    """A progress callback asked to stop; the index is as it was before."""


class Unsupported(Error, NotImplementedError):
    """This version, or this kind of index, cannot do it."""


# People see segue.Error and may import it from there.
for _class in (
    Error,
    InvalidArgument,
    NotFound,
    FileNotFound,
    AlreadyExists,
    IoError,
    CorruptFile,
    OutOfMemory,
    Cancelled,
    Unsupported,
):
    _class.__module__ = "segue"
del _class

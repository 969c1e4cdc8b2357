"""Errors: one class with a kind, and subclasses where Python has a name for the thing."""

from typing import Any

from framelane._layout import ErrorKind


class Error(Exception):
    """What went wrong: a kind that says what to do next, and a sentence that says what and why."""

    kind: ErrorKind

    def __init__(self, text: str, kind: ErrorKind = ErrorKind.INTERNAL) -> None:
        super().__init__(text)
        self.kind = kind

    def __reduce__(self) -> tuple[type["Error"], tuple[Any, ...]]:
        return type(self), (str(self), self.kind)


class InvalidArgumentError(Error, ValueError):
    """An argument is out of range, or not what the object takes now."""


class NotFoundError(Error, LookupError):
    """No such lane yet."""


class PermissionDeniedError(Error, PermissionError):
    """File or lane permissions refuse this user."""


class TimedOutError(Error, TimeoutError):
    """The other side did not answer in time. (Reads that find nothing return None.)"""


class OutOfMemoryError(Error, MemoryError):
    """Not enough memory, huge pages or locked-memory allowance."""


class LappedError(Error):
    """Records were overwritten before they were read: `missed` of them. The next read goes on at a
    key record."""

    missed: int

    def __init__(self, text: str, kind: ErrorKind = ErrorKind.LAPPED, missed: int = 0) -> None:
        super().__init__(text, kind)
        self.missed = missed

    def __reduce__(self) -> tuple[type["Error"], tuple[Any, ...]]:
        return type(self), (str(self), self.kind, self.missed)


_CLASSES: dict[ErrorKind, type[Error]] = {
    ErrorKind.INVALID_ARGUMENT: InvalidArgumentError,
    ErrorKind.INVALID_NAME: InvalidArgumentError,
    ErrorKind.NOT_FOUND: NotFoundError,
    ErrorKind.PERMISSION_DENIED: PermissionDeniedError,
    ErrorKind.TIMED_OUT: TimedOutError,
    ErrorKind.OUT_OF_MEMORY: OutOfMemoryError,
}


def exception_for(number: int, text: str, missed: int = 0) -> Error:
    """The exception for an error of the native half."""
    kind = ErrorKind(number)
    if kind == ErrorKind.LAPPED:
        return LappedError(text, kind, missed)
    return _CLASSES.get(kind, Error)(text, kind)

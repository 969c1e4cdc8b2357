"""Frames and records in an asyncio loop, woken by the reader's descriptor: no thread waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

from framelane._errors import Error, InvalidArgumentError
from framelane._layout import ErrorKind

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class _Reads(Protocol[T_co]):
    """A `Consumer` or a `StreamReader`."""

    def try_next(self) -> T_co | None: ...
    def fileno(self) -> int: ...


_awaited: set[int] = set()
"""Descriptors that a task waits for: a loop would let a second one replace the first."""


async def _readable(reader: _Reads[object]) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    descriptor = reader.fileno()
    if descriptor in _awaited:
        text = f"another task waits for {reader!r}: open one for each task"
        raise InvalidArgumentError(text, ErrorKind.INVALID_ARGUMENT)

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    _awaited.add(descriptor)
    loop.add_reader(descriptor, wake)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
        _awaited.discard(descriptor)


async def read(reader: _Reads[T], timeout: float | None = None) -> T | None:
    """What comes next, None when there was nothing within `timeout` seconds."""
    try:
        async with asyncio.timeout(timeout):
            while (found := reader.try_next()) is None:
                await _readable(reader)
            return found
    except TimeoutError as error:
        if isinstance(error, Error):
            raise
        return None


async def each(reader: _Reads[T], ends_with_producer: bool) -> AsyncIterator[T]:
    """What comes until the reader is closed."""
    natural_ends = [ErrorKind.CLOSED]
    if ends_with_producer:
        natural_ends.append(ErrorKind.DISCONNECTED)
    while True:
        try:
            found = await read(reader)
        except Error as error:
            if error.kind in natural_ends:
                return
            raise
        if found is not None:
            yield found
            del found

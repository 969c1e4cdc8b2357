"""Frames in an asyncio loop, woken by the consumer's descriptor: no thread waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from framelane._core import Consumer, Frame
from framelane._errors import Error, InvalidArgumentError
from framelane._layout import ErrorKind


_awaited: set[int] = set()
"""Descriptors that a task waits for: a loop would let a second one replace the first."""


async def _readable(consumer: Consumer) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    descriptor = consumer.fileno()
    if descriptor in _awaited:
        text = "another task waits for this consumer: open one for each task"
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


async def read(consumer: Consumer, timeout: float | None = None) -> Frame | None:
    """The next frame, None when there was none within `timeout` seconds."""
    try:
        async with asyncio.timeout(timeout):
            while (frame := consumer.try_next()) is None:
                await _readable(consumer)
            return frame
    except TimeoutError as error:
        if isinstance(error, Error):
            raise
        return None


async def frames(consumer: Consumer, ends_with_producer: bool) -> AsyncIterator[Frame]:
    """Frames until the consumer is closed."""
    natural_ends = [ErrorKind.CLOSED]
    if ends_with_producer:
        natural_ends.append(ErrorKind.DISCONNECTED)
    while True:
        try:
            frame = await read(consumer)
        except Error as error:
            if error.kind in natural_ends:
                return
            raise
        if frame is not None:
            yield frame
            del frame

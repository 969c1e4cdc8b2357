"""Answers that go on until the viewer leaves: pictures one after the other, and events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from pictures import Shot
from starlette.types import Message, Receive, Scope, Send
from viewers import Viewer, Viewers

T = TypeVar("T")

BOUNDARY = "framelane"
QUIET = 10.0
"""Seconds after which an event stream says that it is still there."""


class Live(Generic[T]):
    """An ASGI answer of endless pieces for one viewer. It ends when the viewer leaves or the
    program does; what a viewer is too slow for is dropped where the pieces come from."""

    def __init__(
        self,
        media_type: str,
        viewers: Viewers[T],
        pieces: Callable[[Viewer[T]], AsyncIterator[bytes]],
        ended: asyncio.Event,
    ) -> None:
        self._media_type, self._viewers, self._ended = media_type, viewers, ended
        self._pieces = pieces
        self._viewer = viewers.join()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends until one of the ends comes."""
        headers = [
            (b"content-type", self._media_type.encode()),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if scope["method"] != "HEAD":
                await self._until_an_end(receive, send)
        finally:
            self._viewers.leave(self._viewer)
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b""})

    async def _until_an_end(self, receive: Receive, send: Send) -> None:
        ends: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self._send(send)),
            asyncio.ensure_future(left(receive)),
            asyncio.ensure_future(self._ended.wait()),
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ends:
                each.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        async for piece in self._pieces(self._viewer):
            await send({"type": "http.response.body", "body": piece, "more_body": True})


async def left(receive: Receive) -> None:
    """Waits until the viewer is gone."""
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()


async def parts(viewer: Viewer[Shot]) -> AsyncIterator[bytes]:
    """Pictures as multipart/x-mixed-replace.

    The boundary that ends a picture goes with it: a browser shows it then, not one later.
    """
    start = f"--{BOUNDARY}\r\n".encode()
    yield start
    while True:
        shot = await viewer.next()
        yield head(shot) + shot.jpeg + b"\r\n" + start


def head(shot: Shot) -> bytes:
    """The header of one part."""
    lines = {
        "Content-Type": "image/jpeg",
        "Content-Length": str(len(shot.jpeg)),
        **shot.headers,
    }
    return "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + b"\r\n"


async def events(viewer: Viewer[str], greeting: str) -> AsyncIterator[bytes]:
    """Server-sent events, the first at once."""
    yield b"retry: 1000\n\n" + greeting.encode()
    while True:
        try:
            async with asyncio.timeout(QUIET):
                item = await viewer.next()
            yield item.encode()
        except TimeoutError:
            yield b": still here\n\n"

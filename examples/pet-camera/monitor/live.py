"""Answers that go on until the viewer leaves: pictures one after the other, and events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, TypeVar

from pictures import Shot
from starlette.types import Message, Receive, Scope, Send
from viewers import Viewer, Viewers

T = TypeVar("T")

BOUNDARY = "framelane"
QUIET = 10.0
"""Seconds after which an event stream says that it is still there."""


class Live:
    """An ASGI answer of endless pieces. It ends when the viewer leaves or the program does; what
    a viewer is too slow for is dropped where the pieces come from."""

    def __init__(self, media_type: str, pieces: AsyncIterator[bytes], ended: asyncio.Event) -> None:
        self._media_type, self._pieces, self._ended = media_type, pieces, ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends until one of the ends comes."""
        headers = [
            (b"content-type", self._media_type.encode()),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(left(receive))
        ending = asyncio.ensure_future(self._ended.wait())
        every: list[asyncio.Future[Any]] = [sending, leaving, ending]
        try:
            await asyncio.wait(every, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in every:
                each.cancel()
            await asyncio.gather(*every, return_exceptions=True)
            close = getattr(self._pieces, "aclose", None)
            if close is not None:
                await close()
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b""})

    async def _send(self, send: Send) -> None:
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})


async def left(receive: Receive) -> None:
    """Waits until the viewer is gone."""
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()


async def _each(viewers: Viewers[T], viewer: Viewer[T]) -> AsyncIterator[T]:
    try:
        while True:
            yield await viewer.next()
    finally:
        viewers.leave(viewer)


async def parts(viewers: Viewers[Shot], viewer: Viewer[Shot]) -> AsyncIterator[bytes]:
    """Pictures as multipart/x-mixed-replace, for a viewer who leaves at its end.

    The boundary that ends a picture goes with it: a browser shows it then, not one later.
    """
    start = f"--{BOUNDARY}\r\n".encode()
    yield start
    shots = _each(viewers, viewer)
    try:
        async for shot in shots:
            yield head(shot) + shot.jpeg + b"\r\n" + start
    finally:
        await shots.aclose()  # type: ignore[attr-defined]


def head(shot: Shot) -> bytes:
    """The header of one part."""
    lines = {
        "Content-Type": "image/jpeg",
        "Content-Length": str(len(shot.jpeg)),
        **shot.headers,
    }
    return "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + b"\r\n"


async def events(
    viewers: Viewers[str], viewer: Viewer[str], greeting: Callable[[], str]
) -> AsyncIterator[bytes]:
    """Server-sent events for a listener who leaves at its end."""
    try:
        yield b"retry: 1000\n\n" + greeting().encode()
        while True:
            try:
                async with asyncio.timeout(QUIET):
                    item = await viewer.next()
                yield item.encode()
            except TimeoutError:
                yield b": still here\n\n"
    finally:
        viewers.leave(viewer)

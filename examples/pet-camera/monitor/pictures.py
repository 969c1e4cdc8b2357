"""The picture: frames of the active camera, each with the boxes that belong to it, as JPEG.

Frames are read only while somebody looks, pictures are made only while somebody watches them, and
each of them once for all. A frame waits for its boxes for about as long as one more frame takes to
come; then it goes without, for boxes of another frame would be wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import framelane
from attending import PATIENCE, Attending
from drawing import Canvas, UndrawableError
from figures import Counter, Spans, taken_ns
from results import Key, Result, Results, View
from viewers import Viewers

QUALITY = 80
MOST_VIEWERS = 64
HOLD = (0.01, 0.2)
"""Least and most seconds that a frame is held back, whatever the camera's rate."""
SILENT = 1.0
"""Seconds without a result from which on no frame waits for one."""


@dataclass(frozen=True)
class Picture:
    """A frame that is to be shown."""

    canvas: Canvas
    info: framelane.FrameInfo
    epoch: int
    switch_epoch: int
    lane_index: int


@dataclass(frozen=True)
class Shot:
    """A picture as JPEG, with what tells which frame it is."""

    jpeg: bytes
    headers: dict[str, str]


class Holding:
    """Holds one picture back until its boxes are there, or can be no more."""

    def __init__(self, results: Results, give: Callable[[Picture, Result | None], None]) -> None:
        self._results, self._give = results, give
        self._held: Picture | None = None
        self._timer: asyncio.TimerHandle | None = None

    def put(self, picture: Picture, limit: float) -> None:
        """Takes the next picture; the one before goes as it is. With no limit it goes at once."""
        self.let_go()
        if limit <= 0 or self._results.get(Key.of(picture.info)):
            self._give(picture, self._results.get(Key.of(picture.info)))
            return
        self._held = picture
        self._timer = asyncio.get_running_loop().call_later(limit, self.let_go)

    def arrived(self, key: Key) -> None:
        """A result came: of the picture that is held, or of one after it."""
        if self._held is None:
            return
        own = Key.of(self._held.info)
        if key.camera_id == own.camera_id and key.capture_ns >= own.capture_ns:
            self.let_go()

    def let_go(self) -> None:
        """Gives away what is held, with its boxes if they are there."""
        if self._timer is not None:
            self._timer.cancel()
        held, self._held, self._timer = self._held, None, None
        if held is not None:
            self._give(held, self._results.get(Key.of(held.info)))


class Pictures(Attending[framelane.Consumer | framelane.Switch]):
    """Reads the lane or switch of this name, and has viewers of its pictures. `looked_at` says
    whether somebody wants to know of the frames, though not see them."""

    def __init__(
        self,
        name: str,
        results: Results,
        looked_at: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        super().__init__(name, lambda: len(self.viewers) > 0 or looked_at())
        self.viewers: Viewers[Shot] = Viewers(MOST_VIEWERS, 1, changed)
        self.frames, self.encoded, self.skipped = Counter(), Counter(), Counter()
        self.boxed = Counter()
        self.to_publish, self.to_read, self.to_jpeg = Spans(), Spans(), Spans()
        self.copied_bytes = 0
        self.missed = 0
        self.last_result: float | None = None
        self.last_info: framelane.FrameInfo | None = None
        self._results = results
        self._holding = Holding(results, self._give)
        self._period_ns = 33_000_000
        self._last_taken_ns = 0
        self._next: tuple[Picture, Result | None] | None = None
        self._given = asyncio.Event()

    def arrived(self, result: Result) -> None:
        """A result is there."""
        self.last_result = asyncio.get_running_loop().time()
        self._holding.arrived(result.key)

    def _open(self) -> framelane.Consumer | framelane.Switch:
        """The newest frames of a lane, or of the active lane of a switch."""
        try:
            return framelane.Consumer(self.name)
        except framelane.Error as error:
            if error.kind != framelane.ErrorKind.UNSUPPORTED:
                raise
            refused = error
        try:
            return framelane.Switch(self.name)
        except framelane.Error as error:
            # Where it is no switch but a lane that cannot be read, the first reason counts.
            raise refused if error.kind == framelane.ErrorKind.UNSUPPORTED else error

    async def _follow(self, reader: framelane.Consumer | framelane.Switch) -> None:
        while self._attended():
            frame = await reader.read_async(PATIENCE)
            self.missed = reader.missed
            if frame is not None:
                self._see(frame)
        self._holding.let_go()

    def _see(self, frame: framelane.Frame) -> None:
        """Takes what is needed of a frame and gives it back."""
        with frame:
            info = frame.info
            taken, now = taken_ns(info), framelane.monotonic_ns()
            picture = self._copied(frame, info) if len(self.viewers) else None
            if not frame.check():
                return  # device memory that was taken back meanwhile
        self.last_info = info
        self.frames.add()
        self.to_publish.add(info.publish_ns - taken)
        self.to_read.add(now - taken)
        apart = taken - self._last_taken_ns
        if 0 < apart < 1_000_000_000:
            self._period_ns += (apart - self._period_ns) // 8
        self._last_taken_ns = taken
        if picture is not None:
            self._holding.put(picture, self._patience())

    def _copied(self, frame: framelane.Frame, info: framelane.FrameInfo) -> Picture | None:
        try:
            canvas = Canvas.of(frame)
        except UndrawableError as error:
            self.problem = str(error)
            return None
        self.problem = None
        self.copied_bytes += canvas.copied_bytes
        return Picture(canvas, info, frame.epoch, frame.switch_epoch, frame.lane_index)

    def _patience(self) -> float:
        """How long the next picture may wait for its boxes: nothing while no detector answers."""
        now = asyncio.get_running_loop().time()
        if self.last_result is None or now - self.last_result > SILENT:
            return 0.0
        return min(max(1.25e-9 * self._period_ns, HOLD[0]), HOLD[1])

    def _give(self, picture: Picture, result: Result | None) -> None:
        """Has it encoded next; the encoder is never waited for."""
        if self._next is not None:
            self.skipped.add()
        self._next = picture, result
        self._given.set()

    async def encode(self) -> None:
        """Encodes the newest picture, again and again, until it is cancelled."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "jpeg") as pool:
            while True:
                await self._given.wait()
                self._given.clear()
                work, self._next = self._next, None
                if work is None or not len(self.viewers):
                    continue
                jpeg = await loop.run_in_executor(pool, render, *work)
                self.encoded.add()
                self.boxed.total += work[1] is not None
                self.to_jpeg.add(framelane.monotonic_ns() - taken_ns(work[0].info))
                self.viewers.offer(Shot(jpeg, headers(*work)))


def render(picture: Picture, result: Result | None) -> bytes:
    """The picture with its boxes."""
    info = picture.info
    if result is not None:
        picture.canvas.draw(result.boxes_in(info.width, info.height, View.of(info)))
    return picture.canvas.jpeg(QUALITY)


def headers(picture: Picture, result: Result | None) -> dict[str, str]:
    """Which frame a picture is of, and whose boxes it has: a capture id, or nothing."""
    info = picture.info
    boxes = None if result is None else result.key.capture_id
    return {
        "X-Frame-Sequence": str(info.sequence),
        "X-Capture-Id": str(info.capture_id),
        "X-Capture-Ns": str(taken_ns(info)),
        "X-Camera-Id": str(info.camera_id),
        "X-Lane-Epoch": f"{picture.epoch:#018x}",
        "X-Lane-Index": str(picture.lane_index),
        "X-Switch-Epoch": str(picture.switch_epoch),
        "X-Boxes-Capture-Id": "" if boxes is None else str(boxes),
        "X-Boxes": "0" if result is None else str(len(result.boxes)),
    }

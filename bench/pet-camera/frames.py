"""Programs of `cargo xtask bench --pet-camera`, which measure one path of the pet camera.

    frames.py read NAME            a switch or lane, in place
    frames.py send NAME SOCKET...  the old way: reads a camera's frames and copies each to everybody
    frames.py receive SOCKET       the other end of that

All count anew at SIGUSR1, and print one JSON object when SIGTERM ends them. A frame counts as there
when its last pixel has been read.
"""

from __future__ import annotations

import json
import signal
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import framelane
import numpy

HEADER = struct.Struct("=QQ")
"""When it was captured or published, and how many bytes follow."""
PATIENCE = 0.3
ended = threading.Event()
anew = threading.Event()


class Figures:
    """Counts and times of frames, from the last SIGUSR1 on: before it we warmed up."""

    def __init__(self) -> None:
        self._is_at_work = False
        self._begin()

    def _begin(self) -> None:
        self._began = self._newest = framelane.monotonic_ns()
        self._frames = self._copied = 0
        self._times: list[int] = []

    def enter(self, copied: int, captured_ns: int | None = None) -> None:
        """A frame was read just now, or sent. The first says that we are at work."""
        if not self._is_at_work:
            self._is_at_work = True
            print(json.dumps({"ready": True}), flush=True)
            self._begin()
            return
        if anew.is_set():
            anew.clear()
            # The time before it is not ours, so it does not count.
            self._begin()
            return
        self._newest = framelane.monotonic_ns()
        self._frames += 1
        self._copied += copied
        if captured_ns is not None:
            self._times.append(self._newest - captured_ns)

    def tell(self) -> None:
        """Prints them."""
        told: dict[str, Any] = {
            "elapsed_ns": self._newest - self._began,
            "frames": self._frames,
            "copied_bytes": self._copied,
        }
        if self._times:
            p50, p99 = numpy.percentile(self._times, [50, 99])
            told |= {"p50_ns": int(p50), "p99_ns": int(p99)}
        print(json.dumps(told), flush=True)


def frames(name: str) -> framelane.Consumer | framelane.Switch:
    """A reader of whatever has that name, once it is there."""
    while True:
        try:
            return framelane.Consumer(name, wait=PATIENCE)
        except framelane.NotFoundError:
            if ended.is_set():
                sys.exit(0)
        except framelane.Error as error:
            if error.kind != framelane.ErrorKind.UNSUPPORTED:
                raise
            return framelane.Switch(name)


def captured(info: framelane.FrameInfo) -> int:
    """On the monotonic clock; else when it was published, which is a little later."""
    is_ours = info.capture_clock == framelane.ClockId.MONOTONIC and info.capture_ns
    return info.capture_ns if is_ours else info.publish_ns


def read(name: str) -> None:
    """Every pixel, where the camera has put it."""
    figures = Figures()
    with frames(name) as source:
        while not ended.is_set():
            frame = source.read(PATIENCE)
            if frame is None:
                continue
            with frame:
                for plane in frame.planes:
                    plane.array.max()
                figures.enter(0, captured(frame.info))
    figures.tell()


def send(name: str, paths: list[str]) -> None:
    """To all who listen; a slow one holds up the others, as it did."""
    figures = Figures()
    readers = [connect(path) for path in paths]
    with frames(name) as source:
        while not ended.is_set():
            frame = source.read(PATIENCE)
            if frame is None:
                continue
            with frame:
                planes = [plane.raw for plane in frame.planes]
                size = sum(len(plane) for plane in planes)
                head = HEADER.pack(captured(frame.info), size)
                try:
                    for reader in readers:
                        reader.sendall(head)
                        for plane in planes:
                            reader.sendall(plane)
                except (BrokenPipeError, ConnectionResetError):
                    break
                figures.enter(size * len(readers))
                del planes
    ended.wait()
    figures.tell()


def connect(path: str) -> socket.socket:
    """To a socket that may come late."""
    while True:
        try:
            made = socket.socket(socket.AF_UNIX)
            made.connect(path)
            return made
        except OSError:
            if ended.wait(0.1):
                sys.exit(0)


def receive(path: str) -> None:
    """Every pixel, out of a buffer of our own."""
    figures = Figures()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    listener.settimeout(60)
    stream, _ = listener.accept()
    stream.settimeout(60)
    head, buffer = bytearray(HEADER.size), bytearray()
    try:
        while not ended.is_set() and fill(stream, memoryview(head)):
            captured_ns, size = HEADER.unpack(head)
            if len(buffer) != size:
                buffer = bytearray(size)
            if not fill(stream, memoryview(buffer)):
                break
            numpy.frombuffer(buffer, numpy.uint8).max()
            figures.enter(size, captured_ns)
    finally:
        Path(path).unlink(missing_ok=True)
    figures.tell()


def fill(stream: socket.socket, into: memoryview) -> bool:
    """Whether as much came as there is room for."""
    while into:
        count = stream.recv_into(into)
        if not count:
            return False
        into = into[count:]
    return True


def main() -> None:
    signal.signal(signal.SIGUSR1, lambda _number, _frame: anew.set())
    signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    match sys.argv[1:]:
        case ["read", name]:
            read(name)
        case ["send", name, *paths]:
            send(name, paths)
        case ["receive", path]:
            receive(path)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()

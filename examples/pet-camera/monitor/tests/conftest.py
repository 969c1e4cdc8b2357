"""Each test has a monitor and lanes of its own."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import framelane
import numpy
import pytest
import simplejpeg  # type: ignore[import-untyped]

PATIENCE = 30.0
"""Seconds that anything may take."""
WIDTH, HEIGHT = 320, 240
PROGRAM = Path(__file__).parent.parent / "monitor.py"


def becomes(holds: Callable[[], Any]) -> Any:
    """What comes true in time."""
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.02)
    return found


class Part(NamedTuple):
    """One picture of the stream."""

    headers: dict[str, str]
    jpeg: bytes

    def number(self, name: str) -> int:
        return int(self.headers[name.lower()])

    @property
    def rgb(self) -> numpy.typing.NDArray[numpy.uint8]:
        decoded: numpy.typing.NDArray[numpy.uint8] = simplejpeg.decode_jpeg(self.jpeg, "rgb")
        return decoded


class Stream:
    """A viewer of the pictures."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        connection.request("GET", "/stream.mjpeg")
        self._answer = connection.getresponse()
        assert self._answer.status == 200, self._answer.read()
        assert self._answer.getheader("Content-Type", "").startswith("multipart/x-mixed-replace")
        assert self._answer.readline() == b"--framelane\r\n"

    def part(self) -> Part:
        headers: dict[str, str] = {}
        while (line := self._answer.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        assert headers, "the pictures ended"
        jpeg = self._answer.read(int(headers["content-length"]))
        assert self._answer.readline() + self._answer.readline() == b"\r\n--framelane\r\n"
        return Part(headers, jpeg)

    def close(self) -> None:
        # The answer keeps the socket for itself.
        self._answer.close()
        self._connection.close()


class Events:
    """A listener to events."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        connection.request("GET", "/events")
        self._answer = connection.getresponse()
        assert self._answer.getheader("Content-Type") == "text/event-stream"

    def next(self, kind: str) -> dict[str, Any]:
        """The next event of this kind."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            line = self._answer.readline()
            assert line, "the events ended"
            if line == f"event: {kind}\n".encode():
                told: dict[str, Any] = json.loads(self._answer.readline().removeprefix(b"data: "))
                return told
        raise AssertionError(f"no {kind} comes")

    def until(self, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The first state for which this holds."""
        end = time.monotonic() + PATIENCE
        while not holds(told := self.next("state")):
            assert time.monotonic() < end, "it does not come true"
        return told

    def stage(self, name: str, state: str) -> dict[str, Any]:
        """This stage once it is in this state."""
        told = self.until(lambda told: stage_of(told, name)["state"] == state)
        return stage_of(told, name)

    def close(self) -> None:
        self._answer.close()
        self._connection.close()


def stage_of(told: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(stage for stage in told["stages"] if stage["id"] == name)
    return found


class Monitor:
    """A running monitor."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-B", str(PROGRAM), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://127.0.0.1:"), self.address
        self.host = self.address.removeprefix("http://")
        self._open: list[Stream | Events] = []

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, timeout=PATIENCE)

    def stream(self) -> Stream:
        made = Stream(self.connect())
        self._open.append(made)
        return made

    def events(self) -> Events:
        made = Events(self.connect())
        self._open.append(made)
        return made

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        connection = self.connect()
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def metric(self, name: str) -> int:
        text = self.ask("GET", "/metrics")[1].decode()
        [line] = [
            line for line in text.splitlines() if line.startswith(f"framelane_monitor_{name} ")
        ]
        return int(line.split()[1])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        for each in self._open:
            each.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    made = Monitor("--frames", "frames", "--yolo", "small", "--detections", "results")
    try:
        yield made
    finally:
        made.close()


def paint(frame: framelane.FrameMut, level: int) -> None:
    """Grey of this level. Its views are gone before the frame is published."""
    luma, chroma = (plane.array for plane in frame.planes)
    luma[:] = level
    chroma[:] = 128


class Camera:
    """Publishes frames whose luma is their number, at a rate of its own or one by one."""

    def __init__(self, lane: str, camera_id: int = 0, width: int = WIDTH, height: int = HEIGHT):
        self.producer = framelane.Producer(lane, "nv12", width, height)
        self.camera_id = camera_id
        self.last = 0

    def publish(self, capture_id: int | None = None, brightness: float = 0.0) -> int:
        self.last = self.last + 1 if capture_id is None else capture_id
        with self.producer.claim(PATIENCE) as frame:
            paint(frame, 30 + self.last % 100)
            info = frame.info
            info.capture_id, info.camera_id = self.last, self.camera_id
            info.capture_ns, info.brightness_avg = framelane.monotonic_ns(), brightness
            info.capture_clock = framelane.ClockId.MONOTONIC
            info.color_range = framelane.ColorRange.FULL
            taken = info.capture_ns
        return int(taken)

    def close(self) -> None:
        self.producer.close()


@pytest.fixture
def camera() -> Iterator[Camera]:
    made = Camera("frames")
    yield made
    made.close()


def record(number: int, taken_ns: int, *objects: dict[str, Any], **more: Any) -> bytes:
    """What a detector writes."""
    said = {
        "camera_id": 0,
        "capture_id": number,
        "capture_ns": taken_ns,
        "width": WIDTH,
        "height": HEIGHT // 2,
        "view": [0, 0, 0, 0],
        "detector": "test",
        "objects": list(objects),
        **more,
    }
    return json.dumps(said).encode()


BOX: dict[str, Any] = {"label": "cat", "score": 0.5, "x": 40, "y": 20, "width": 60, "height": 30}


class Rate:
    """Publishes frames until it is told to stop, and what a detector says of each."""

    def __init__(
        self,
        camera: Camera,
        detector: framelane.StreamWriter | None = None,
        apart: float = 0.03,
    ) -> None:
        self.camera, self.detector, self.apart = camera, detector, apart
        self.taken: dict[int, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(self.apart):
            taken = self.camera.publish()
            number = self.camera.last
            self.taken[number] = taken
            # Of every third frame nothing is said, as by a detector that is too slow.
            if self.detector is not None and number % 3:
                box = {**BOX, "x": number % 40 * 4}
                self.detector.write(record(number, taken, box), key=True, capture_id=number)

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@pytest.fixture
def running(camera: Camera) -> Iterator[Rate]:
    with framelane.StreamWriter("results", "json") as detector:
        rate = Rate(camera, detector)
        yield rate
        rate.stop()

"""The watchdog with a file in the place of the device."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import framelane
import pytest

PATIENCE = 30.0


class Camera:
    """Publishes into a lane until told to pause."""

    def __init__(self, producer: framelane.Producer) -> None:
        self.producer = producer
        self.running = threading.Event()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.ended.wait(0.02):
            if self.running.is_set():
                self.producer.claim(PATIENCE).publish()


@contextmanager
def camera() -> Iterator[Camera]:
    frames = framelane.Producer("frames", "grey", 64, 64)
    with frames as producer, framelane.SwitchController("front", ["frames"]):
        made = Camera(producer)
        made.thread.start()
        try:
            yield made
        finally:
            made.ended.set()
            made.thread.join()


@contextmanager
def started(program: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Iterator[str]]]:
    """The program, and the lines it writes; killed if one does not come."""
    running = subprocess.Popen([program, *arguments], stderr=subprocess.PIPE, text=True)
    deadline = threading.Timer(PATIENCE, running.kill)
    deadline.start()
    with running:
        try:
            assert running.stderr is not None
            yield running, iter(running.stderr)
        finally:
            deadline.cancel()
            running.kill()


@pytest.mark.parametrize("name", ["frames", "front"])
def test_it_feeds_while_frames_come(program: str, tmp_path: Path, name: str) -> None:
    device = tmp_path / "device"
    device.touch()
    with started(program, name, str(device), "300") as (running, lines), camera() as frames:
        assert device.stat().st_size == 0, "nothing is fed before the first frame"
        frames.running.set()
        assert "is fed" in next(lines)
        frames.running.clear()
        assert "is silent" in next(lines)
        fed = device.stat().st_size
        assert fed >= 1
        frames.running.set()
        assert "again" in next(lines)
        end = time.monotonic() + PATIENCE
        while device.stat().st_size == fed:
            assert time.monotonic() < end, "it is not fed again"
            time.sleep(0.02)
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE) == 0
    assert device.read_bytes().endswith(b"\nV"), "the device was not told of the end"


def test_a_crash_leaves_the_clock_running(program: str, tmp_path: Path) -> None:
    device = tmp_path / "device"
    device.touch()
    with started(program, "frames", str(device)) as (running, lines), camera() as frames:
        frames.running.set()
        assert "is fed" in next(lines)
        running.kill()
    assert b"V" not in device.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_camera_the_device_is_not_opened(
    program: str, tmp_path: Path, number: signal.Signals
) -> None:
    missing = tmp_path / "device"
    with started(program, "frames", str(missing)) as (running, _lines), camera() as frames:
        end = time.monotonic() + PATIENCE
        while frames.producer.consumers == 0:
            assert time.monotonic() < end, "it does not attach"
            time.sleep(0.02)
        running.send_signal(number)
        assert running.wait(PATIENCE) == 0


def test_a_device_that_is_not_there_is_named(program: str, tmp_path: Path) -> None:
    missing = tmp_path / "device"
    with started(program, "frames", str(missing)) as (running, lines), camera() as frames:
        frames.running.set()
        assert f"cannot open {missing}" in next(lines)
        assert running.wait(PATIENCE) == 1


@pytest.mark.parametrize("silence", ["3x", "0", "-1", "9" * 30])
def test_a_wrong_silence_is_refused(program: str, silence: str) -> None:
    with started(program, "frames", "device", silence) as (running, lines):
        assert f"SILENCE_MS is 1 to 3600000, not {silence}" in next(lines)
        assert running.wait(PATIENCE) == 2


@pytest.mark.parametrize("arguments", [[], ["a"] * 4])
def test_wrong_arguments_are_refused(program: str, arguments: list[str]) -> None:
    with started(program, *arguments) as (running, lines):
        assert "watchdog" in next(lines)
        assert running.wait(PATIENCE) == 2

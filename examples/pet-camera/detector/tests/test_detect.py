"""The detector against lanes whose frames are known."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import finders
import framelane
import numpy
import pytest
from detect import look

PATIENCE = 30.0
WIDTH, HEIGHT = 320, 180
SIDE = 40


def draw(frame: framelane.FrameMut, left: int | None) -> None:
    """A grey picture with a bright square, if there is one."""
    luma, chroma = (plane.array for plane in frame.planes)
    luma[:] = 60
    chroma[:] = 128
    if left is not None:
        luma[70 : 70 + SIDE, left : left + SIDE] = 220


def publish(producer: framelane.Producer, capture_id: int, left: int | None) -> None:
    with producer.claim(PATIENCE) as frame:
        draw(frame, left)
        info = frame.info
        info.capture_id, info.camera_id = capture_id, 5
        info.capture_ns = framelane.monotonic_ns()
        info.crop_x, info.crop_y, info.crop_width, info.crop_height = 8, 16, 640, 360


@pytest.fixture
def producer() -> Iterator[framelane.Producer]:
    with framelane.Producer("frames", "nv12", WIDTH, HEIGHT, history=4) as made:
        yield made


def frames_of(producer: framelane.Producer, lefts: list[int | None]) -> Iterator[framelane.Frame]:
    with framelane.Consumer("frames") as consumer:
        for number, left in enumerate(lefts, 1):
            publish(producer, number, left)
            frame = consumer.read(PATIENCE)
            assert frame is not None
            with frame:
                yield frame


def test_motion_is_found_where_it_is(producer: framelane.Producer) -> None:
    finder = finders.MotionFinder()
    still = [None] * 30
    moving = list(range(40, 200, 8))
    found = [finder.find(frame) for frame in frames_of(producer, [*still, *moving])]
    assert not any(found[10:30]), "nothing moves"
    for left, boxes in list(zip(moving, found[30:], strict=True))[2:]:
        assert any(
            box.x <= left + 12
            and box.x + box.width >= left + SIDE - 12
            and abs(box.y - 70) <= 12
            for box in boxes
        ), (left, boxes)


def test_luma_is_read_in_place(producer: framelane.Producer) -> None:
    for frame in frames_of(producer, [8]):
        plane = numpy.frombuffer(frame.planes[0].raw, numpy.uint8)
        assert numpy.shares_memory(finders.luma(frame), plane)


def test_a_blank_picture_has_no_face(producer: framelane.Producer) -> None:
    finder = finders.CascadeFinder("face")
    for frame in frames_of(producer, [None, 60]):
        assert finder.find(frame) == []


def test_opencv_5_is_refused_with_the_line_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("cv2.CascadeClassifier")
    with pytest.raises(finders.UnusableError, match="opencv-python-headless<5"):
        finders.CascadeFinder("cat")


class FakeSession:
    """A model of 64 x 64 that sees two things, one of them twice."""

    given = types.SimpleNamespace(name="images", shape=[1, 3, 64, 64])

    def __init__(self, path: str, providers: list[str]) -> None:
        assert path == "two.onnx" and providers

    def get_inputs(self) -> list[types.SimpleNamespace]:
        return [self.given]

    def get_modelmeta(self) -> types.SimpleNamespace:
        return types.SimpleNamespace(custom_metadata_map={"names": "{0: 'cat', 1: 'dog'}"})

    def run(self, _outputs: None, given: dict[str, Any]) -> list[Any]:
        picture = given["images"]
        assert picture.shape == (1, 3, 64, 64) and 0 <= picture.min() <= picture.max() <= 1
        boxes = [[10, 10, 8, 4, 0.9, 0.1], [10, 10, 8, 5, 0.8, 0.1], [60, 30, 16, 8, 0.1, 0.7]]
        return [numpy.array([boxes], numpy.float32).transpose(0, 2, 1)]


def test_boxes_of_a_model_are_in_pixels_of_the_frame(
    producer: framelane.Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = types.SimpleNamespace(InferenceSession=FakeSession)
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    finder = finders.make_finder("motion", "two.onnx")
    for frame in frames_of(producer, [None]):
        # 320 x 180 becomes 64 x 36: five pixels of the frame for one of the model.
        assert finder.find(frame) == [
            finders.Found("cat", 0.9, 30, 40, 40, 20),
            finders.Found("dog", 0.7, 260, 130, 60, 40),
        ]


def test_a_missing_runtime_or_model_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"no model")
    with pytest.raises(finders.UnusableError, match="onnxruntime"):
        finders.make_finder("motion", str(garbage))


class OddFinder:
    """Finds something in every other frame."""

    name = "odd"

    def find(self, frame: framelane.Frame) -> list[finders.Found]:
        odd = frame.info.capture_id % 2 == 1
        return [finders.Found("odd", 1.0, 1, 2, 3, 4)] if odd else []


def test_every_frame_has_a_result_also_an_empty_one(producer: framelane.Producer) -> None:
    results: list[dict[str, Any]] = []
    published = 0
    end = time.monotonic() + PATIENCE
    with framelane.StreamWriter("results", "json") as writer:
        reader = framelane.StreamReader("results", start="oldest_key")
        with framelane.Consumer("frames") as consumer, reader:
            while len(results) < 5:
                assert time.monotonic() < end, "no result"
                published += 1
                publish(producer, published, None)
                frame = consumer.read(PATIENCE)
                assert frame is not None
                look(frame, OddFinder(), writer)
                while (record := reader.try_next()) is not None:
                    results.append(json.loads(bytes(record)))
                    assert record.info.capture_id == results[-1]["capture_id"]
    assert [(one["capture_id"], len(one["objects"])) for one in results] == [
        (number, number % 2) for number in range(1, 6)
    ]
    assert results[0]["objects"][0]["label"] == "odd"
    # What tells one exposure from all others, and where the pixels are.
    first = results[0]
    assert (first["camera_id"], first["capture_ns"] > 0) == (5, True)
    assert (first["width"], first["height"], first["view"]) == (WIDTH, HEIGHT, [8, 16, 640, 360])


@contextmanager
def started(name: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program, which does not outlive a test that fails."""
    program = Path(__file__).parent.parent / "detect.py"
    with subprocess.Popen([sys.executable, "-B", program, name, "results"]) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("name", ["frames", "front"])
def test_the_program_waits_for_its_lane_or_switch_and_ends_at_a_signal(name: str) -> None:
    with started(name) as running:
        frames = framelane.Producer("frames", "nv12", WIDTH, HEIGHT)
        with frames as producer, framelane.SwitchController("front", ["frames"]):
            with framelane.StreamReader("results", wait=PATIENCE) as reader:
                end = time.monotonic() + PATIENCE
                record = None
                number = 0
                while record is None and time.monotonic() < end:
                    number += 1
                    publish(producer, number, None)
                    record = reader.read(0.05)
                assert record is not None
                assert json.loads(bytes(record))["detector"] == "motion"
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_program_ends_well_while_it_waits_for_its_lane(number: signal.Signals) -> None:
    with started("none") as running:
        # The lane of results is there: it waits for that of frames.
        with framelane.StreamReader("results", wait=PATIENCE):
            running.send_signal(number)
            assert running.wait(PATIENCE) == 0

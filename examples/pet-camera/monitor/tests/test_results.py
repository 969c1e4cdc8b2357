"""Results are read with suspicion, kept by exposure, and put where they belong."""

from __future__ import annotations

import json
from typing import Any

import numpy
import pytest
from conftest import BOX, record
from drawing import COLOUR, Canvas
from results import KEPT, Box, GarbageError, Key, Results, View, parse

WHOLE = View(0, 0, 0, 0)


def test_a_result_is_found_by_camera_number_and_time_and_by_nothing_less() -> None:
    results = Results()
    results.add(parse(record(7, 1000, BOX), 2000))
    found = results.get(Key(0, 7, 1000))
    assert found is not None and found.boxes == [Box("cat", 0.5, 40, 20, 60, 30)]
    for other in (Key(1, 7, 1000), Key(0, 8, 1000), Key(0, 7, 1001)):
        assert results.get(other) is None
    results.add(parse(record(0, 1000, BOX), 2000))
    assert results.get(Key(0, 0, 1000)) is None, "0 says nothing"


def test_few_results_are_kept() -> None:
    results = Results()
    for number in range(1, KEPT + 2):
        results.add(parse(record(number, number), 0))
    assert results.get(Key(0, 1, 1)) is None
    assert results.get(Key(0, 2, 2)) is not None


GARBAGE: list[Any] = [
    b"",
    b"\xff\xfe",
    b"[" * 50_000,
    b"[]",
    b" " * 100_000,
    record(1, 1, BOX, objects=None),
    record(1, 1, *[BOX] * 65),
    record(1, 1, BOX, capture_id=-1),
    record(1, 1, BOX, capture_id=1 << 64),
    record(1, 1, BOX, capture_id=True),
    record(1, 1, BOX, capture_id="1"),
    record(1, 1, BOX, width=0),
    record(1, 1, BOX, width=1 << 40),
    record(1, 1, BOX, detector=5),
    record(1, 1, BOX, view=[0, 0, 1]),
    record(1, 1, BOX, view=[0, 0, -1, 1]),
    record(1, 1, {**BOX, "x": float("nan")}),
    record(1, 1, {**BOX, "x": float("inf")}),
    record(1, 1, {**BOX, "x": 1e300}),
    record(1, 1, {**BOX, "label": None}),
    json.dumps({"capture_id": 1, "objects": []}).encode(),
]


@pytest.mark.parametrize("said", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_refused(said: bytes) -> None:
    with pytest.raises(GarbageError):
        parse(said, 0)


def test_boxes_go_from_the_size_of_one_lane_to_that_of_another() -> None:
    result = parse(record(1, 1, BOX), 0)
    assert result.boxes_in(640, 480, WHOLE) == [Box("cat", 0.5, 80, 80, 120, 120)]


def test_boxes_go_from_the_view_of_one_lane_to_that_of_another() -> None:
    # The detector sees the whole sensor of 1280x480, the other lane its right half.
    result = parse(record(1, 1, {**BOX, "x": 180}, view=[0, 0, 1280, 480]), 0)
    [box] = result.boxes_in(320, 240, View(640, 0, 640, 480))
    assert box == Box("cat", 0.5, 40, 40, 120, 60)


def amber(canvas: Canvas) -> Any:
    return numpy.argwhere(canvas._luma == COLOUR[0])


@pytest.mark.parametrize("chroma", [True, False])
def test_a_box_is_drawn_where_it_is_and_nowhere_else(chroma: bool) -> None:
    planes = [numpy.zeros((30, 40), numpy.uint8) for _ in range(2 if chroma else 0)]
    canvas = Canvas(numpy.zeros((60, 80), numpy.uint8), planes)
    canvas.draw([Box("a", 1, 10, 20, 30, 16), Box("too small", 1, 1, 1, 2, 2)])
    drawn = amber(canvas)
    assert (drawn.min(0).tolist(), drawn.max(0).tolist()) == ([20, 10], [35, 39])
    assert len(drawn) == 30 * 16 - 26 * 12, "an outline of two pixels"
    for plane, level in zip(planes, COLOUR[1:], strict=False):
        assert numpy.argwhere(plane == level).min(0).tolist() == [10, 5]
    assert canvas.jpeg(80).startswith(b"\xff\xd8")


def test_boxes_outside_the_picture_do_no_harm() -> None:
    canvas = Canvas(numpy.zeros((60, 80), numpy.uint8), [])
    canvas.draw([Box("", 0, -500, -500, 100, 100), Box("", 0, 70, 50, 900, 900)])
    canvas.draw([Box("", 0, 0, 0, -20, -20), Box("", 0, 1e4, 1e4, 5, 5)])
    drawn = amber(canvas)
    assert (drawn.min(0).tolist(), drawn.max(0).tolist()) == ([50, 70], [59, 79])

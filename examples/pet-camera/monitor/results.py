"""What a detector found, kept for a moment, so that each frame finds the boxes that are its own.

A capture id is the number of an exposure, common to all lanes of one camera. Two cameras count each
by themselves and a restarted one begins anew, hence the camera and the time of the exposure are
part of the key: what matches by all three is of that very frame.
"""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from typing import Any, NamedTuple

import framelane

KEPT = 128
"""Results that are kept: those of four seconds."""

MOST_BYTES = 64 << 10
MOST_BOXES = 64
MOST_PIXELS = 1 << 15


class GarbageError(Exception):
    """A record that is no result; the text says why."""


class Key(NamedTuple):
    """Which exposure of which camera."""

    camera_id: int
    capture_id: int
    capture_ns: int

    @classmethod
    def of(cls, info: framelane.FrameInfo) -> Key:
        """Of a frame."""
        return cls(info.camera_id, info.capture_id, info.capture_ns)


class Box(NamedTuple):
    """A thing and where it is, in pixels of the frame it was found in."""

    label: str
    score: float
    x: float
    y: float
    width: float
    height: float


class View(NamedTuple):
    """What part of the sensor a frame shows, in pixels of the sensor; none said: all of it."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def of(cls, info: framelane.FrameInfo) -> View:
        """Of a frame."""
        return cls(info.crop_x, info.crop_y, info.crop_width, info.crop_height)


class Result(NamedTuple):
    """What was found in one frame."""

    key: Key
    detector: str
    width: int
    height: int
    view: View
    boxes: list[Box]
    published_ns: int

    def boxes_in(self, width: int, height: int, view: View) -> list[Box]:
        """The boxes in pixels of another frame of that exposure, of another size or view."""
        across = _scale(self.width, width, self.view[0::2], view[0::2])
        down = _scale(self.height, height, self.view[1::2], view[1::2])
        return [
            box._replace(
                x=box.x * across[0] + across[1],
                y=box.y * down[0] + down[1],
                width=box.width * across[0],
                height=box.height * down[0],
            )
            for box in self.boxes
        ]


def _scale(
    size: int, other: int, view: tuple[int, ...], other_view: tuple[int, ...]
) -> tuple[float, float]:
    """Factor and offset from pixels of one frame to those of the other, along one axis. A view is
    where it begins and how long it is."""
    if not view[1] or not other_view[1]:
        return other / size, 0.0
    pixel = other / other_view[1]
    return view[1] / size * pixel, (view[0] - other_view[0]) * pixel


def parse(record: bytes, published_ns: int) -> Result:
    """A result of a record; GarbageError of anything that is none. A record is another program's
    word: nothing in it is believed."""
    if len(record) > MOST_BYTES:
        raise GarbageError(f"{len(record)} bytes are too many")
    try:
        said = json.loads(record)
    except (ValueError, RecursionError) as error:
        raise GarbageError(f"no JSON: {error}") from error
    if not isinstance(said, dict):
        raise GarbageError("no JSON object")
    objects = said.get("objects")
    if not isinstance(objects, list) or len(objects) > MOST_BOXES:
        raise GarbageError(f"objects are a list of at most {MOST_BOXES}")
    return Result(
        Key(*(_whole(said, name, (1 << 64) - 1) for name in Key._fields)),
        _text(said, "detector"),
        _whole(said, "width", MOST_PIXELS, least=1),
        _whole(said, "height", MOST_PIXELS, least=1),
        _view(said.get("view", [0, 0, 0, 0])),
        [_box(one) for one in objects],
        published_ns,
    )


def _whole(said: dict[str, Any], name: str, most: int, least: int = 0) -> int:
    value = said.get(name)
    if type(value) is not int or not least <= value <= most:
        raise GarbageError(f"{name} is {value!r}"[:200])
    return value


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise GarbageError(f"{name} is no text")
    return value[:64]


def _number(said: dict[str, Any], name: str) -> float:
    value: Any = said.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or abs(value) > MOST_PIXELS:
        raise GarbageError(f"{name} of an object is {value!r}"[:200])
    return float(value)


def _view(said: Any) -> View:
    fits = isinstance(said, list) and len(said) == 4
    if not fits or not all(type(edge) is int and 0 <= edge <= MOST_PIXELS for edge in said):
        raise GarbageError(f"view is {said!r}"[:200])
    return View(*said)


def _box(said: Any) -> Box:
    if not isinstance(said, dict):
        raise GarbageError("an object is none")
    numbers = [_number(said, name) for name in Box._fields[1:]]
    return Box(_text(said, "label"), *numbers)


class Results:
    """The newest results, by the exposure they are about."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Result] = OrderedDict()
        self.newest: Result | None = None

    def add(self, result: Result) -> None:
        """Keeps it; the oldest goes."""
        self._kept[result.key] = result
        self._kept.move_to_end(result.key)
        self.newest = result
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def get(self, key: Key) -> Result | None:
        """The result about this exposure, if it is there. A number that says nothing matches
        nothing."""
        return self._kept.get(key) if key.capture_id else None

"""What can be found in a frame, and how. Every finder reads the frame in place."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import framelane
import numpy
import numpy.typing

Picture = numpy.typing.NDArray[numpy.uint8]


class UnusableError(Exception):
    """Something that was asked for cannot be had here; the text says what and why."""


class Found(NamedTuple):
    """A thing and where it is, in pixels of the frame."""

    label: str
    score: float
    x: int
    y: int
    width: int
    height: int


class Finder(Protocol):
    """Finds things in frames, which come in order."""

    name: str

    def find(self, frame: framelane.Frame) -> list[Found]:
        """What is in the frame. Nothing of the frame is kept."""


def make_finder(what: str, model: str | None) -> Finder:
    """The finder of this name, or the one that runs a model."""
    if model is not None:
        from model import ModelFinder

        return ModelFinder(model)
    return MotionFinder() if what == "motion" else CascadeFinder(what)


def luma(frame: framelane.Frame) -> Picture:
    """Brightness, in place where the format has it in a plane of its own, as NV12 has."""
    if frame.info.fourcc in (
        framelane.PixelFormat.NV12,
        framelane.PixelFormat.I420,
        framelane.PixelFormat.GREY,
    ):
        return frame.planes[0].array
    return cv2.cvtColor(frame.array, color_code(frame)).astype(numpy.uint8, copy=False)


def color_code(frame: framelane.Frame) -> int:
    """How OpenCV makes grey of it."""
    codes = {
        framelane.PixelFormat.RGB24: cv2.COLOR_RGB2GRAY,
        framelane.PixelFormat.BGR24: cv2.COLOR_BGR2GRAY,
        framelane.PixelFormat.YUYV: cv2.COLOR_YUV2GRAY_YUYV,
    }
    for code, conversion in codes.items():
        if frame.info.fourcc == code:
            return conversion
    raise UnusableError(f"frames of format {frame.info.fourcc:#x} cannot be looked at")


class MotionFinder:
    """Finds what moves before a background that it learns; needs no model."""

    name = "motion"
    SMALL = 160
    """Width that the picture is looked at with: noise goes, and it costs little."""
    LEAST = 0.0015
    """Smallest thing, as a part of the picture."""

    def __init__(self) -> None:
        self._background = cv2.createBackgroundSubtractorMOG2(history=90, detectShadows=False)
        self._seen: tuple[int, ...] = ()

    def find(self, frame: framelane.Frame) -> list[Found]:
        """What is not as it was."""
        whole = luma(frame)
        seen = (frame.info.camera_id, *whole.shape)
        if seen != self._seen:
            self.__init__()  # type: ignore[misc]  # another camera or size is another background
            self._seen = seen
        scale = max(whole.shape[1] / self.SMALL, 1.0)
        size = (round(whole.shape[1] / scale), round(whole.shape[0] / scale))
        mask = self._background.apply(cv2.resize(whole, size, interpolation=cv2.INTER_AREA))
        mask = cv2.dilate(cv2.erode(mask, numpy.ones((2, 2))), numpy.ones((5, 5)))
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        return [
            self._found(outline, scale, size)
            for outline in outlines
            if cv2.contourArea(outline) >= self.LEAST * size[0] * size[1]
        ]

    def _found(self, outline: cv2.typing.MatLike, scale: float, size: tuple[int, int]) -> Found:
        x, y, width, height = (round(edge * scale) for edge in cv2.boundingRect(outline))
        filled = cv2.contourArea(outline) / (size[0] * size[1])
        return Found(self.name, round(min(1.0, filled * 20), 3), x, y, width, height)


class CascadeFinder:
    """Finds faces of people or cats by the cascades that come with OpenCV 4."""

    FILES = {
        "face": "haarcascade_frontalface_default.xml",
        "cat": "haarcascade_frontalcatface_extended.xml",
    }

    def __init__(self, what: str) -> None:
        self.name = what
        if not hasattr(cv2, "CascadeClassifier"):
            raise UnusableError(
                f"OpenCV {cv2.__version__} has no cascades any more: "
                "pip install 'opencv-python-headless<5'"
            )
        file = Path(cv2.__file__).parent / "data" / self.FILES[what]
        self._cascade = cv2.CascadeClassifier(str(file))
        if self._cascade.empty():
            raise UnusableError(f"{file} is no cascade that OpenCV {cv2.__version__} reads")

    def find(self, frame: framelane.Frame) -> list[Found]:
        """Faces, those of 1/12 of the picture's height and more."""
        picture = luma(frame)
        least = max(picture.shape[0] // 12, 24)
        boxes, _, weights = self._cascade.detectMultiScale3(
            picture, 1.1, 4, minSize=(least, least), outputRejectLevels=True
        )
        return [
            Found(self.name, round(float(weight), 3), *(int(edge) for edge in box))
            for box, weight in zip(boxes, numpy.ravel(weights), strict=True)
        ]

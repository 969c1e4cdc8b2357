"""From a frame to a JPEG picture with boxes, without going through RGB.

A frame is copied once, its chroma taken apart by that, and given back at once: what is drawn into
and encoded is the copy, so that a slow encoder keeps no buffer from the camera.
"""

from __future__ import annotations

from collections.abc import Iterable

import framelane
import numpy
import numpy.typing
import simplejpeg  # type: ignore[import-untyped]
from results import Box

Samples = numpy.typing.NDArray[numpy.uint8]

LINE = 2
"""Width of a line in pixels: as wide as one sample of chroma."""

COLOUR = (183, 43, 179)
"""Y, U, V of the amber that boxes are drawn in."""


class UndrawableError(Exception):
    """A frame that no picture can be made of; the text says why."""


def _full(of: int, span: int) -> bytes:
    """A table from limited to full range, which JPEG has, for samples around `of`."""
    middle = 0 if of == 16 else 128
    levels = (round((sample - of) * 255 / span) + middle for sample in range(256))
    return bytes(min(max(level, 0), 255) for level in levels)


LUMA, CHROMA = _full(16, 219), _full(128, 224)


class Canvas:
    """A copy of a frame's samples, in full range."""

    def __init__(self, luma: Samples, chroma: list[Samples]) -> None:
        self._luma = luma
        self._chroma = chroma

    @property
    def copied_bytes(self) -> int:
        """What the copy took."""
        return self._luma.nbytes + sum(plane.nbytes for plane in self._chroma)

    @classmethod
    def of(cls, frame: framelane.Frame) -> Canvas:
        """Copies a frame of NV12, I420 or grey."""
        planes = [plane.array for plane in frame.planes]
        match frame.info.format:
            case framelane.PixelFormat.NV12:
                luma, mixed = planes
                chroma = [mixed[:, :, 0], mixed[:, :, 1]]
            case framelane.PixelFormat.I420:
                luma, *chroma = planes
            case framelane.PixelFormat.GREY:
                [luma], chroma = planes, []
            case _:
                raise UndrawableError(f"pictures are made of NV12, I420 and grey: {frame.info}")
        # Of YUV that says nothing the range is limited, as cameras deliver it.
        if chroma and frame.info.color_range != framelane.ColorRange.FULL:
            return cls(_mapped(luma, LUMA), [_mapped(plane, CHROMA) for plane in chroma])
        return cls(luma.copy(), [numpy.ascontiguousarray(plane).copy() for plane in chroma])

    def draw(self, boxes: Iterable[Box]) -> None:
        """Draws outlines, as far as they are in the picture."""
        rows, columns = self._luma.shape
        for box in boxes:
            left, right = _edges(box.x, box.width, columns)
            top, bottom = _edges(box.y, box.height, rows)
            if right - left < 2 * LINE or bottom - top < 2 * LINE:
                continue
            for level, plane in zip(COLOUR, [self._luma, *self._chroma], strict=False):
                half = 1 if plane is self._luma else 2
                inner = plane[top // half : bottom // half, left // half : right // half]
                line = LINE // half
                inner[:line] = inner[-line:] = level
                inner[:, :line] = inner[:, -line:] = level

    def jpeg(self, quality: int) -> bytes:
        """Encodes it as it is."""
        first, second = self._chroma or (None, None)
        encoded: bytes = simplejpeg.encode_jpeg_yuv_planes(self._luma, first, second, quality)
        return encoded


def _mapped(plane: Samples, table: bytes) -> Samples:
    """A copy with every sample looked up in a table."""
    samples = bytearray(numpy.ascontiguousarray(plane)).translate(table)
    return numpy.frombuffer(samples, numpy.uint8).reshape(plane.shape)


def _edges(start: float, length: float, size: int) -> tuple[int, int]:
    """Where a box begins and ends, in the picture and on samples of chroma."""
    first, last = round(start), round(start + length)
    return max(first, 0) // 2 * 2, min(last, size) // 2 * 2

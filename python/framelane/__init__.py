"""Share camera frames between processes without copying them.

    import framelane

    with framelane.Consumer("camera", wait=10) as consumer:
        for frame in consumer:
            picture = frame.array  # NumPy, in place, read-only

A `Producer` publishes frames into a lane, any number of `Consumer`s in this and other languages
read the same bytes. Nothing within the deadline is not an error: reads then return None. What goes
wrong is an `Error` whose `kind` says what to do next.
"""

from framelane._core import (
    Consumer,
    Frame,
    FrameMut,
    Plane,
    Producer,
    discover,
    layout_hash,
    monotonic_ns,
    picture,
    query,
)
from framelane._errors import (
    Error,
    InvalidArgumentError,
    NotFoundError,
    OutOfMemoryError,
    PermissionDeniedError,
    TimedOutError,
)
from framelane._info import FrameInfo, LaneInfo, Report
from framelane._layout import (
    ClockId,
    ColorMatrix,
    ColorRange,
    ColorTransfer,
    ErrorKind,
    FrameFlag,
    LaneFlag,
    MemoryKind,
    Mode,
    PixelFormat,
)

__all__ = [
    "ClockId",
    "ColorMatrix",
    "ColorRange",
    "ColorTransfer",
    "Consumer",
    "Error",
    "ErrorKind",
    "Frame",
    "FrameFlag",
    "FrameInfo",
    "FrameMut",
    "InvalidArgumentError",
    "LaneFlag",
    "LaneInfo",
    "MemoryKind",
    "Mode",
    "NotFoundError",
    "OutOfMemoryError",
    "PermissionDeniedError",
    "PixelFormat",
    "Plane",
    "Producer",
    "Report",
    "TimedOutError",
    "discover",
    "layout_hash",
    "monotonic_ns",
    "picture",
    "query",
]

"""Share camera frames between processes without copying them.

    import framelane

    with framelane.Consumer("camera", wait=10) as consumer:
        for frame in consumer:
            picture = frame.array  # NumPy, in place, read-only

A `Producer` publishes frames into a lane, any number of `Consumer`s in this and other languages
read the same bytes. A `StreamWriter` writes records of any size, encoded video for instance, for
`StreamReader`s. A `SwitchController` stands several lanes behind one name, of which a `Switch`
reads the active one. `ShmbufSender` and `ShmbufReceiver` speak the byte ring of the older shmbuf
programs. Nothing within the deadline is not an error: reads then return None. What goes
wrong is an `Error` whose `kind` says what to do next.
"""

from framelane._core import (
    Consumer,
    Frame,
    FrameMut,
    Plane,
    Producer,
    Record,
    RecordMut,
    ShmbufReceiver,
    ShmbufSender,
    StreamReader,
    StreamWriter,
    Switch,
    SwitchController,
    discover,
    layout_hash,
    monotonic_ns,
    picture,
    query,
    remove_shmbuf,
    select,
)
from framelane._errors import (
    Error,
    InvalidArgumentError,
    LappedError,
    NotFoundError,
    OutOfMemoryError,
    PermissionDeniedError,
    TimedOutError,
)
from framelane._info import FrameInfo, LaneInfo, Report
from framelane._layout import (
    ClockId,
    Codec,
    ColorMatrix,
    ColorRange,
    ColorTransfer,
    ConfigFlag,
    ErrorKind,
    FrameFlag,
    LaneFlag,
    LaneKind,
    MemoryKind,
    Mode,
    PixelFormat,
    RecordFlag,
    StreamStart,
)
from framelane._stream import RecordInfo, StreamConfig, StreamInfo

__all__ = [
    "ClockId",
    "Codec",
    "ColorMatrix",
    "ColorRange",
    "ColorTransfer",
    "ConfigFlag",
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
    "LaneKind",
    "LappedError",
    "MemoryKind",
    "Mode",
    "NotFoundError",
    "OutOfMemoryError",
    "PermissionDeniedError",
    "PixelFormat",
    "Plane",
    "Producer",
    "Record",
    "RecordFlag",
    "RecordInfo",
    "RecordMut",
    "Report",
    "ShmbufReceiver",
    "ShmbufSender",
    "StreamConfig",
    "StreamInfo",
    "StreamReader",
    "StreamStart",
    "StreamWriter",
    "Switch",
    "SwitchController",
    "TimedOutError",
    "discover",
    "layout_hash",
    "monotonic_ns",
    "picture",
    "query",
    "remove_shmbuf",
    "select",
]

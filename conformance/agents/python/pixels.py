"""What planes are filled with, and the memfds of a device lane."""

from __future__ import annotations

import fcntl
import os

from framelane import FrameInfo
from line import Line

F_SEAL_FUTURE_WRITE = 0x10


def filled(plane: int, seed: int, size: int) -> bytes:
    """Byte `i` of plane `p` is `(i + 31 * p + seed) % 251`."""
    period = bytes((i + 31 * plane + seed) % 251 for i in range(251))
    return (period * (size // 251 + 1))[:size]


class DeviceBuffer:
    """A memfd that holds the picture, filled with its number as seed."""

    def __init__(self, picture: FrameInfo, number: int, writable: bool) -> None:
        self._fd = os.memfd_create("conformance", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        for index, plane in enumerate(list(picture.planes)[: picture.plane_count]):
            os.pwrite(self._fd, filled(index, number, plane.size_bytes), plane.offset_bytes)
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
        seals |= 0 if writable else F_SEAL_FUTURE_WRITE
        fcntl.fcntl(self._fd, fcntl.F_ADD_SEALS, seals)

    def fileno(self) -> int:
        return self._fd

    def __del__(self) -> None:
        os.close(self._fd)


def device_buffers(picture: FrameInfo, line: Line) -> list[DeviceBuffer]:
    """Those that a `create` asks for. The lane duplicates them."""
    writable = line.number("writable") != 0
    return [DeviceBuffer(picture, n, writable) for n in range(line.number("buffers"))]

"""Layout and filling of pictures, and descriptor fields as text."""

import ctypes
import zlib

import framelane_layout as L
from kernel import Failure


def layout(name, width, height, align):
    """(fourcc, width, height, planes), each plane (offset, size, stride, rows)."""
    formats = {f.name.lower(): f for f in L.PixelFormat}
    if name not in formats or not width or not height or align & (align - 1):
        raise Failure(L.ErrorKind.INVALID_ARGUMENT, f"no picture {name} {width}x{height}")
    if name == "yuyv" and width % 2:
        raise Failure(L.ErrorKind.INVALID_ARGUMENT, "YUYV pairs pixels, the width is odd")
    half_width, half_height = (width + 1) // 2, (height + 1) // 2
    rows = {"grey": [(width, height)], "yuyv": [(2 * width, height)],
            "rgb24": [(3 * width, height)], "bgr24": [(3 * width, height)],
            "nv12": [(width, height), (2 * half_width, half_height)],
            "i420": [(width, height)] + 2 * [(half_width, half_height)]}[name]
    planes, offset = [], 0
    for row_bytes, count in rows:
        stride = (row_bytes + align - 1) // align * align
        planes.append((offset, stride * count, stride, count))
        offset += stride * count
    return formats[name], width, height, planes


def total(picture):
    return sum(size for _, size, _, _ in picture[3])


def apply(picture, descriptor, buffer_index=-1):
    """Writes a layout into a descriptor. Planes not in use name no buffer."""
    descriptor.fourcc, descriptor.width, descriptor.height, planes = picture
    descriptor.plane_count = len(planes)
    for number, plane in enumerate(descriptor.planes):
        plane.share_id = plane.buffer_index = -1
        if number < len(planes):
            plane.offset_bytes, plane.size_bytes, plane.stride_bytes, plane.rows = planes[number]
            plane.buffer_index = buffer_index


def template():
    """What a claimed frame says before anybody has filled it."""
    descriptor = L.FrameDescriptor()
    descriptor.brightness_avg = -1.0
    descriptor.capture_clock = L.ClockId.MONOTONIC
    descriptor.color_matrix = L.ColorMatrix.UNSPECIFIED
    descriptor.color_transfer = L.ColorTransfer.UNSPECIFIED
    return descriptor


def filled(plane, seed, size):
    """Bytes of a filled plane."""
    period = bytes((i + 31 * plane + seed) % 251 for i in range(251))
    return (period * (size // 251 + 1))[:size]


def crc(data):
    return f"{zlib.crc32(data):08x}"


def _fields(struct, prefix="d."):
    for name, kind in struct._fields_:
        if name.startswith("reserved"):
            continue
        value = getattr(struct, name)
        if name == "planes":
            for number, plane in enumerate(value):
                yield from _fields(plane, f"{prefix}planes.{number}.")
        elif isinstance(value, ctypes.Array):
            yield prefix + name, bytes(value).hex()
        else:
            yield prefix + name, repr(value)


def describe(descriptor):
    """Every field but the reserved ones as `d.<name>=<value>`."""
    return dict(_fields(descriptor))


def set_fields(descriptor, line):
    """Sets the fields that a command names."""
    for key, value in line.items():
        if not key.startswith("d."):
            continue
        struct, path = descriptor, key[2:].split(".")
        try:
            if path[0] == "planes":
                struct, path = descriptor.planes[int(path[1])], path[2:]
            kind = dict(struct._fields_)[path[0]]
            if issubclass(kind, ctypes.Array):
                getattr(struct, path[0])[:] = bytes.fromhex(value)
            else:
                number = float(value) if kind is ctypes.c_float else int(value)
                setattr(struct, path[0], number)
        except (KeyError, IndexError, ValueError) as error:
            text = f"{key}={value} has no meaning"
            raise Failure(L.ErrorKind.INVALID_ARGUMENT, text) from error

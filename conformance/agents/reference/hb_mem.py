"""Frames in camera memory of an RDK X5: the vendor's libhbmem, called as its header says."""

import ctypes
import os

import framelane_layout as L
from kernel import Failure

PLANES = 3
READ, WRITE_MASK, CACHED = 0x1, 0xF0, 0x400_0000
TAG = int.from_bytes(b"HBGB", "little")


class GraphicBuffer(ctypes.Structure):
    """hb_mem_graphic_buf_t."""

    _fields_ = [("fd", ctypes.c_int32 * PLANES), ("plane_cnt", ctypes.c_int32),
                ("format", ctypes.c_int32), ("width", ctypes.c_int32), ("height", ctypes.c_int32),
                ("stride", ctypes.c_int32), ("vstride", ctypes.c_int32),
                ("is_contig", ctypes.c_int32), ("share_id", ctypes.c_int32 * PLANES),
                ("flags", ctypes.c_int64), ("size", ctypes.c_uint64 * PLANES),
                ("virt_addr", ctypes.c_uint64 * PLANES), ("phys_addr", ctypes.c_uint64 * PLANES),
                ("offset", ctypes.c_uint64 * PLANES)]


assert ctypes.sizeof(GraphicBuffer) == 160

_loaded = []


def _library():
    """The library with its module open, which it stays."""
    if not _loaded:
        folder = os.environ.get("FRAMELANE_HOBOT_DIR", "")
        try:
            library = ctypes.CDLL(os.path.join(folder, "libhbmem.so.1"))
        except OSError as error:
            raise Failure(L.ErrorKind.UNSUPPORTED, str(error)) from error
        _must("hb_mem_module_open", library.hb_mem_module_open())
        _loaded.append(library)
    return _loaded[0]


def _must(call, code):
    if code != 0:
        raise Failure(L.ErrorKind.INVALID_ARGUMENT, f"{call}: {code}")


class Imports:
    """The buffers that one attachment has mapped, each by all that is said of it."""

    def __init__(self):
        self.buffers = {}

    def read(self, descriptor, number):
        """Bytes of a plane as the hardware wrote them."""
        buffer = self._buffer(descriptor)
        plane = descriptor.planes[number]
        part = 0 if buffer.is_contig else number
        found = (buffer.share_id[part], buffer.phys_addr[number], buffer.size[number])
        if found != (plane.share_id, plane.physical_address, plane.size_bytes):
            raise Failure(L.ErrorKind.PROTOCOL, f"plane {number} is not the vendor's")
        address, size = ctypes.c_uint64(buffer.virt_addr[number]), ctypes.c_uint64(found[2])
        if buffer.flags & CACHED:
            call = "hb_mem_invalidate_buf_with_vaddr"
            _must(call, _library()[call](address, size))
        return ctypes.string_at(address.value, size.value)

    def _buffer(self, descriptor):
        said = bytes(descriptor.vendor_data)
        if said not in self.buffers:
            if (descriptor.vendor_tag, descriptor.vendor_bytes) != (TAG, len(said)):
                raise Failure(L.ErrorKind.PROTOCOL, "the vendor describes no picture")
            asked, mapped = GraphicBuffer.from_buffer_copy(said), GraphicBuffer()
            asked.flags = asked.flags & ~WRITE_MASK | READ
            call = "hb_mem_import_graph_buf"
            _must(call, _library()[call](ctypes.byref(asked), ctypes.byref(mapped)))
            self.buffers[said] = mapped
        return self.buffers[said]

    def close(self):
        for buffer in self.buffers.values():
            address = ctypes.c_uint64(buffer.virt_addr[0])
            _must("hb_mem_free_buf_with_vaddr", _library().hb_mem_free_buf_with_vaddr(address))
        self.buffers = {}

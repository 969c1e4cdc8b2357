"""Messages on a lane's socket."""

import array
import ctypes
import json
import os
import socket
import struct

import framelane_layout as L
from kernel import Failure

MESSAGE_VERSION = 1
PACKET_BYTES = 32 * 1024
_TYPES = {L.Hello: L.MessageType.HELLO, L.Welcome: L.MessageType.WELCOME,
          L.Refused: L.MessageType.REFUSED, L.Ready: L.MessageType.READY,
          L.Fds: L.MessageType.FDS, L.Bye: L.MessageType.BYE}
_LOCK_FILE = os.path.join(os.path.dirname(__file__), "../../../schema/layout.lock.json")


def new(kind, layout_hash=L.LAYOUT_HASH):
    """An empty message with its header filled in."""
    message = kind()
    message.header = L.MessageHeader(L.Layout.WIRE_MAGIC, MESSAGE_VERSION, _TYPES[kind],
                                     ctypes.sizeof(kind), 0, layout_hash)
    return message


def put_text(field, text):
    """Fills a field of bytes with text, padded with zeros."""
    data = text.encode()[:len(field)]
    field[:] = data.ljust(len(field), b"\0")


def text(field):
    return bytes(field).split(b"\0")[0].decode(errors="replace")


def header(packet):
    """The 32 bytes that are the same in every layout."""
    if len(packet) < ctypes.sizeof(L.MessageHeader):
        raise Failure(L.ErrorKind.PROTOCOL, f"a message of {len(packet)} bytes")
    found = L.MessageHeader.from_buffer_copy(packet)
    if found.magic != L.Layout.WIRE_MAGIC or found.message_version != MESSAGE_VERSION:
        raise Failure(L.ErrorKind.PROTOCOL, "this is not a message of version 1")
    return found


def read(kind, packet):
    """A message of this type and of its exact size."""
    found = header(packet)
    size = ctypes.sizeof(kind)
    if found.message_type != _TYPES[kind] or len(packet) != size or found.length_bytes != size:
        raise Failure(L.ErrorKind.PROTOCOL,
                      f"message type {found.message_type} of {len(packet)} bytes where "
                      f"{kind.__name__} of {size} is expected")
    return kind.from_buffer_copy(packet)


def send(connection, message, fds=()):
    """Sends one packet, never blocking. False where the peer does not read or is gone."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
    try:
        connection.sendmsg([bytes(message)], rights, flags)
    except OSError:
        return False
    return True


def receive(connection):
    """One packet; None where there is none now, b"" at the hang-up. Descriptors are dropped."""
    try:
        return connection.recv(PACKET_BYTES, socket.MSG_DONTWAIT)
    except (BlockingIOError, InterruptedError):
        return None
    except OSError:
        return b""


def receive_fds(connection):
    """One packet and the descriptors that came with it."""
    room = socket.CMSG_SPACE(4 * L.Limit.FDS_PER_MESSAGE)
    packet, control, _, _ = connection.recvmsg(PACKET_BYTES, room, socket.MSG_CMSG_CLOEXEC)
    fds = []
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds += struct.unpack(f"{len(data) // 4}i", data[:len(data) // 4 * 4])
    return packet, fds


def layout_table(foreign=False):
    """The layout table as it follows a Refused: the canonical one, or one of a build that has moved
    a field."""
    with open(_LOCK_FILE, encoding="utf-8") as file:
        table = json.load(file)["table"]
    if foreign:
        field = next(f for f in table["structs"]["FrameDescriptor"]["fields"] if f[0] == "width")
        field[2] += 4
    return table


def compact(table):
    """The table as it travels."""
    return json.dumps(table, separators=(",", ":")).encode()


def first_difference(theirs, ours):
    """The first field that differs between two tables, in words."""
    for name, rows in ours["structs"].items():
        there = {row[0]: row[1:] for row in theirs["structs"].get(name, {}).get("fields", [])}
        for field, *where in rows["fields"]:
            if there.get(field) != where:
                return f"{name}.{field} is {where} here and {there.get(field)} there"
    return "every struct agrees; an enum or a constant differs"

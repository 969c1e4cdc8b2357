"""Tokens, states and memory of a lane: what both sides of the ring need."""

import ctypes
import os
import re

import framelane_layout as L
from kernel import Failure

READY, RETIRED, REVOKED = L.SlotPhase.READY, L.SlotPhase.RETIRED, L.SlotPhase.REVOKED
HEADER_BYTES = ctypes.sizeof(L.LaneHeader)
SLOT_BYTES = ctypes.sizeof(L.Slot)
SLOTS_BYTES = L.Limit.SLOTS * SLOT_BYTES


def token(sequence, slot):
    return sequence << L.Token.SLOT_BITS | slot


def slot_of(token_):
    return token_ & L.Token.SLOT_MASK


def sequence_of(token_):
    return token_ >> L.Token.SLOT_BITS


def state(sequence, phase):
    return sequence << 2 | phase


class Lane:
    """Lane memory that is mapped: its header, and slots by number."""

    def __init__(self, mapping, slots_offset=HEADER_BYTES):
        self.mapping = mapping
        self.header = mapping.struct(L.LaneHeader)
        offsets = range(slots_offset, slots_offset + SLOTS_BYTES, SLOT_BYTES)
        self.slots = [mapping.struct(L.Slot, offset) for offset in offsets]

    def payload(self, slot):
        return self.header.payload_offset + slot * self.header.payload_stride

    def wake_address(self):
        return self.mapping.address + L.LaneHeader._wake.offset


def check_name(lane):
    if not re.fullmatch(r"[a-z0-9_-][a-z0-9._-]{0,63}", lane):
        raise Failure(L.ErrorKind.INVALID_NAME, f"{lane!r} is no lane name")


def directory():
    """Where lanes are: this agent is always told."""
    return os.environ["FRAMELANE_DIR"]

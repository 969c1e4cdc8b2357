"""A consumer as its producer sees it: its cells, and how it is woken."""

import os

import framelane_layout as L
import wire
from kernel import PAGE, SEAL_FUTURE_WRITE, SEAL_SIZE, Mapping, fence, futex_wake, memfd, seal
from ring import sequence_of, slot_of

SLEEPERS = 64  # threads of one consumer that are woken at most


class SharedBell:
    """For peers of our own user: the lane's word, and an eventfd."""

    kind = L.BellKind.SHARED

    def __init__(self, lane):
        self.lane = lane
        self.fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.sent = (L.FdKind.EVENTFD, self.fd)

    def wake(self):
        futex_wake(self.lane.wake_address(), 2**31 - 1)

    def ring(self):
        try:
            os.eventfd_write(self.fd, 1)
        except BlockingIOError:
            pass  # it rings already

    def close(self):
        os.close(self.fd)


class PrivateBell:
    """For everybody else: a word of their own, and a byte on their socket."""

    kind = L.BellKind.PRIVATE

    def __init__(self, connection):
        self.connection = connection
        self.fd = memfd("framelane-bell", PAGE)
        self.mapping = Mapping(self.fd, PAGE, writable=True)
        self.page = self.mapping.struct(L.BellPage)
        self.page.magic = L.Layout.BELL_MAGIC
        seal(self.fd, SEAL_SIZE | SEAL_FUTURE_WRITE)
        self.sent = (L.FdKind.BELL_PAGE, self.fd)

    def wake(self):
        self.page._wake = (self.page._wake + 1) % 2**32
        futex_wake(self.mapping.address + L.BellPage._wake.offset, SLEEPERS)

    def ring(self):
        wire.send(self.connection, bytes([L.BellByte.RING]))

    def close(self):
        self.mapping.close()
        os.close(self.fd)


class Member:
    """A consumer that is LIVE."""

    def __init__(self, number, peer, leases, mode, page, page_mapping, bell):
        self.number, self.pid, self.uid = number, peer[0], peer[1]
        self.leases, self.mode, self.page, self.bell = leases, mode, page, bell
        self.page_mapping = page_mapping
        self.cursor = page._cursor
        self.answered = self.key_answered = 0

    def pinned(self, sequences):
        """Slots that its cells hold: a cell pins a slot only while its sequence is right."""
        cells = [self.page._cells[index] for index in range(self.leases)]
        fence()
        return {slot_of(cell) for cell in cells
                if cell and sequences.get(slot_of(cell)) == sequence_of(cell)}

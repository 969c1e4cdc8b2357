"""The commands of both sides of a shmbuf ring, and what the witness alone does to one."""

import os
import struct

import framelane_layout as L
import pixels
from kernel import Failure
from shmbuf import Receiver, Sender, path


class Messages:
    """A sender and a receiver."""

    def __init__(self):
        self.sender, self.receiver = None, None

    def _side(self, side):
        if side is None:
            raise Failure(L.ErrorKind.INVALID_ARGUMENT, "there is no such side of a ring")
        return side

    def create_ring(self, line):
        sender = Sender(line.need("ring"), line.number("capacity"), line.number("keep"),
                        line.number("first"))
        if self.sender:
            self.sender.close()
        self.sender = sender
        return {"capacity": sender.memory.capacity, "longest": sender.longest}

    def send(self, line):
        message = pixels.filled(0, line.number("seed"), line.number("size"))
        seconds = line.number("timeout_ms") / 1000 if "timeout_ms" in line else None
        sent = self._side(self.sender).send(message, seconds, line.number("upstream"))
        return {} if sent else None

    def drain(self, line):
        return {"drained": int(self._side(self.sender).drain(line.number("timeout_ms") / 1000))}

    def count_ring(self, line):
        sender = self._side(self.sender)
        return {"sent": sender.sent, "full": sender.full, "unread": sender.unread()}

    def close_ring(self, line):
        self._side(self.sender).close()
        self.sender = None
        return {}

    def open_ring(self, line):
        receiver = Receiver(line.need("ring"), line.number("wait_ms") / 1000)
        if self.receiver:
            self.receiver.close()
        self.receiver = receiver
        return {"capacity": receiver.memory.capacity}

    def receive(self, line):
        room = line.number("room") if "room" in line else None
        message = self._side(self.receiver).receive(line.number("timeout_ms") / 1000, room)
        return None if message is None else {"size": len(message), "crc": pixels.crc(message)}

    def skip(self, line):
        return {} if self._side(self.receiver).skip() else None

    def count_received(self, line):
        receiver = self._side(self.receiver)
        return {"received": receiver.received, "empty": receiver.empty,
                "restarts": receiver.restarts}

    def close_receiver(self, line):
        self._side(self.receiver).close()
        self.receiver = None
        return {}

    # The witness alone

    def forge(self, line):
        """A file in place of a segment, with this capacity in its header."""
        with open(path(line.need("ring")), "wb") as file:
            file.write(struct.pack("<4I", 0, 0, line.number("capacity"), 0))
            file.truncate(line.number("bytes"))
        return {}

    def poke(self, line):
        """Puts a word into a segment."""
        fd = os.open(path(line.need("ring")), os.O_RDWR | os.O_CLOEXEC)
        try:
            os.pwrite(fd, struct.pack("<I", line.number("value")), line.number("at"))
        finally:
            os.close(fd)
        return {}

    def reset(self):
        for side in (self.receiver, self.sender):
            if side:
                side.close()
        self.__init__()


WORDS = ("create_ring send drain count_ring close_ring open_ring receive skip count_received "
         "close_receiver forge poke").split()
NOTHING = ("send", "receive", "skip")

"""The commands of both sides of a shmbuf ring."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable

from framelane import ShmbufReceiver, ShmbufSender
from line import Line, Misunderstood
from streams import Answer, bytes_of, patience


class Messages:
    """A sender and a receiver."""

    def __init__(self) -> None:
        self.sender: ShmbufSender | None = None
        self.receiver: ShmbufReceiver | None = None

    def _sender(self) -> ShmbufSender:
        if not self.sender:
            raise Misunderstood("there is no ring")
        return self.sender

    def _receiver(self) -> ShmbufReceiver:
        if not self.receiver:
            raise Misunderstood("there is no receiver")
        return self.receiver

    def create_ring(self, line: Line) -> Answer:
        sender = ShmbufSender(
            line.need("ring"),
            line.number("capacity"),
            keep=line.number("keep") != 0,
            bell=line.number("bell") != 0,
            directory=os.environ["FRAMELANE_DIR"],
        )
        if self.sender:
            self.sender.close()
        self.sender = sender
        return f" capacity={sender.capacity_bytes} longest={sender.longest_message}"

    def send(self, line: Line) -> Answer:
        return "" if self._sender().send(bytes_of(line), patience(line)) else None

    def drain(self, line: Line) -> Answer:
        return f" drained={int(self._sender().drain(line.seconds('timeout_ms')))}"

    def count_ring(self, line: Line) -> Answer:
        sender = self._sender()
        return f" sent={sender.sent} full={sender.times_full} unread={sender.unread_bytes}"

    def close_ring(self, line: Line) -> Answer:
        self._sender().close()
        self.sender = None
        return ""

    def open_ring(self, line: Line) -> Answer:
        receiver = ShmbufReceiver(
            line.need("ring"),
            wait=line.number("wait_ms") / 1000,
            reattach=line.number("reattach", 1) != 0,
            bell=line.number("bell") != 0,
            directory=os.environ["FRAMELANE_DIR"],
        )
        if self.receiver:
            self.receiver.close()
        self.receiver = receiver
        return f" capacity={receiver.capacity_bytes}"

    def receive(self, line: Line) -> Answer:
        if "room" not in line:
            message = self._receiver().read(patience(line))
        else:
            room = bytearray(line.number("room"))
            size = self._receiver().read_into(room, patience(line))
            message = None if size is None else bytes(room[:size])
        if message is None:
            return None
        return f" size={len(message)} crc={zlib.crc32(message):08x}"

    def skip(self, line: Line) -> Answer:
        return "" if self._receiver().skip() else None

    def count_received(self, line: Line) -> Answer:
        r = self._receiver()
        return f" received={r.received} empty={r.empty} restarts={r.restarts}"

    def close_receiver(self, line: Line) -> Answer:
        self._receiver().close()
        self.receiver = None
        return ""

    def command(self, word: str) -> Callable[[Line], Answer] | None:
        """What a word does, where it is a word of rings."""
        return getattr(self, word) if word in WORDS else None

    def close(self) -> None:
        """Gives everything back."""
        for side in (self.receiver, self.sender):
            if side:
                side.close()
        self.receiver = self.sender = None


WORDS = (
    "create_ring send drain count_ring close_ring open_ring receive skip count_received "
    "close_receiver"
).split()

"""The commands of both sides of a switch."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import framelane
from framelane import Switch, SwitchController
from line import Line, Misunderstood
from streams import Answer


class Switching:
    """A controller and a reader."""

    def __init__(self) -> None:
        self.controller: SwitchController | None = None
        self.reader: Switch | None = None

    def _controller(self) -> SwitchController:
        if not self.controller:
            raise Misunderstood("there is no controller")
        return self.controller

    def _reader(self) -> Switch:
        if not self.reader:
            raise Misunderstood("there is no reader of a switch")
        return self.reader

    def create_switch(self, line: Line) -> Answer:
        lanes = line.need("lanes").split(",")
        made = SwitchController(line.need("switch"), lanes, active=line.number("active"))
        if self.controller:
            self.controller.close()
        self.controller = made
        return f" epoch={made.epoch}"

    def select_lane(self, line: Line) -> Answer:
        chosen: Any = line.get("lane") or int(line.need("index"))
        return f" switch_epoch={self._controller().select(chosen)}"

    def propose(self, line: Line) -> Answer:
        return f" active={int(self._controller().propose(int(line.need('index'))))}"

    def set_automatic(self, line: Line) -> Answer:
        self._controller().set_automatic()
        return ""

    def switch_report(self, line: Line) -> Answer:
        c = self._controller()
        said = f" active={c.active} switch_epoch={c.switch_epoch}"
        return f"{said} held={int(c.held)} readers={c.readers}"

    def close_switch(self, line: Line) -> Answer:
        self._controller().close()
        self.controller = None
        return ""

    def open_switch(self, line: Line) -> Answer:
        mode: Any = line.need("mode")
        wait = line.number("wait_ms") / 1000
        reader = Switch(line.need("switch"), mode, leases=1, wait=wait)
        if self.reader:
            self.reader.close()
        self.reader = reader
        return ""

    def next_of_switch(self, line: Line) -> Answer:
        frame = self._reader().read(line.seconds("timeout_ms"))
        if frame is None:
            return None
        with frame:
            said = f" sequence={frame.sequence} lane={frame.lane_index}"
            said += f" switch_epoch={frame.switch_epoch} switched={int(frame.switched)}"
            return f"{said} crc={zlib.crc32(frame.planes[0].raw):08x}"

    def switch_status(self, line: Line) -> Answer:
        reader = self._reader()
        reader.wait(0.0)
        active = -1 if reader.active is None else reader.active
        said = f" active={active} switch_epoch={reader.switch_epoch}"
        said += f" controlled={int(reader.controlled)} received={reader.received}"
        return f"{said} switches={reader.switches}"

    def leave_switch(self, line: Line) -> Answer:
        self._reader().close()
        self.reader = None
        return ""

    def ask_switch(self, line: Line) -> Answer:
        time = line.seconds("timeout_ms")
        active, epoch = framelane.select(line.need("switch"), line.get("lane"), timeout=time)
        return f" active={active} switch_epoch={epoch}"

    def command(self, word: str) -> Callable[[Line], Answer] | None:
        """What a word does, where it is a word of switches."""
        return getattr(self, word) if word in WORDS else None

    def close(self) -> None:
        """Gives everything back."""
        for side in (self.reader, self.controller):
            if side:
                side.close()
        self.reader = self.controller = None


WORDS = (
    "create_switch select_lane propose set_automatic switch_report close_switch open_switch "
    "next_of_switch switch_status leave_switch ask_switch"
).split()

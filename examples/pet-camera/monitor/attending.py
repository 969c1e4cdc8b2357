"""Reading only while somebody looks, for as long as the program runs."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

import framelane

log = logging.getLogger("monitor")

PAUSE = (0.5, 5.0)
"""Seconds after the first failure to attach, and at most after many."""
PATIENCE = 0.25
"""Seconds to wait for something before looking whether anybody still looks."""

R = TypeVar("R", framelane.Consumer | framelane.Switch, framelane.StreamReader)


class Attending(ABC, Generic[R]):
    """Reads what has this name while somebody looks. What is not there yet is waited for, and what
    fails is tried again: it may be mended while this program runs."""

    def __init__(self, name: str, attended: Callable[[], bool]) -> None:
        self.name = name
        self.problem: str | None = None
        self._attended = attended
        self._attention = asyncio.Event()

    def look_again(self) -> None:
        """Somebody has come or gone."""
        self._attention.set()

    async def read(self) -> None:
        """Reads until it is cancelled."""
        failures = 0
        while True:
            while not self._attended():
                self._attention.clear()
                await self._attention.wait()
            try:
                with await asyncio.to_thread(self._open) as reader:
                    failures, self.problem = 0, None
                    await self._follow(reader)
            except framelane.Error as error:
                if str(error) != self.problem:
                    log.info("%s: %s", self.name, error)
                self.problem = str(error)
                failures += 1
                await asyncio.sleep(min(PAUSE[0] * failures, PAUSE[1]))

    @abstractmethod
    def _open(self) -> R:
        """A reader; not in the event loop."""

    @abstractmethod
    async def _follow(self, reader: R) -> None:
        """Reads while somebody looks."""

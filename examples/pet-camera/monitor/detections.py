"""Reads the detector's records while somebody looks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import framelane
from figures import Counter, Spans
from results import GarbageError, Result, Results, parse

log = logging.getLogger("monitor")

PAUSE = (0.5, 5.0)


class Detections:
    """Reads the stream lane of this name into `results`, and tells of each."""

    def __init__(
        self,
        name: str,
        results: Results,
        wanted: Callable[[], bool],
        tell: Callable[[Result], None],
    ) -> None:
        self.name = name
        self.read_total, self.refused = Counter(), Counter()
        self.latency = Spans()
        self.problem: str | None = None
        self._results, self._wanted, self._tell = results, wanted, tell
        self._attention = asyncio.Event()

    def look_again(self) -> None:
        """Somebody has come or gone."""
        self._attention.set()

    async def read(self) -> None:
        """Reads while somebody looks, until it is cancelled; what fails is tried again."""
        failures = 0
        while True:
            while not self._wanted():
                self._attention.clear()
                await self._attention.wait()
            try:
                with await asyncio.to_thread(framelane.StreamReader, self.name, "next") as reader:
                    failures = 0
                    await self._follow(reader)
            except framelane.Error as error:
                if str(error) != self.problem:
                    log.info("%s: %s", self.name, error)
                self.problem = str(error)
                failures += 1
                await asyncio.sleep(min(PAUSE[0] * failures, PAUSE[1]))

    async def _follow(self, reader: framelane.StreamReader) -> None:
        self.problem = None
        while self._wanted():
            try:
                record = await reader.read_async(0.25)
            except framelane.LappedError:
                continue  # the next read goes on at what there is
            if record is not None:
                with record:
                    self._take(bytes(record), record.info.publish_ns)

    def _take(self, record: bytes, published_ns: int) -> None:
        try:
            result = parse(record, published_ns)
        except GarbageError as error:
            self.refused.add()
            self.problem = f"a record was refused: {error}"
            return
        self.read_total.add()
        self.latency.add(published_ns - result.key.capture_ns)
        self._results.add(result)
        self._tell(result)

"""Reads the detector's records while somebody looks."""

from __future__ import annotations

from collections.abc import Callable

import framelane
from attending import PATIENCE, Attending
from figures import Counter, Spans
from results import GarbageError, Result, Results, parse


class Detections(Attending[framelane.StreamReader]):
    """Reads the stream lane of this name into `results`, and tells of each."""

    def __init__(
        self,
        name: str,
        results: Results,
        attended: Callable[[], bool],
        tell: Callable[[Result], None],
    ) -> None:
        super().__init__(name, attended)
        self.read_total, self.refused = Counter(), Counter()
        self.latency = Spans()
        self._results, self._tell = results, tell

    def _open(self) -> framelane.StreamReader:
        return framelane.StreamReader(self.name, "next")

    async def _follow(self, reader: framelane.StreamReader) -> None:
        while self._attended():
            try:
                record = await reader.read_async(PATIENCE)
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

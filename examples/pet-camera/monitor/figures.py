"""Figures over the last moments: spans and rates."""

from __future__ import annotations

import math
import time
from collections import deque

import framelane

SECONDS = 10.0
"""How far back figures go."""


class Spans:
    """Spans of time of the last seconds, in milliseconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque(maxlen=2000)

    def add(self, span_ns: int) -> None:
        """Counts one. What no clock of this machine can have said is left out."""
        if 0 <= span_ns < 60_000_000_000:
            self._seen.append((time.monotonic(), span_ns / 1e6))

    def quantiles(self) -> tuple[float, float] | None:
        """p50 and p99, None of nothing."""
        since = time.monotonic() - SECONDS
        spans = sorted(span for when, span in self._seen if when >= since)
        if not spans:
            return None
        return _at(spans, 0.5), _at(spans, 0.99)


def _at(spans: list[float], part: float) -> float:
    return round(spans[max(math.ceil(part * len(spans)) - 1, 0)], 3)


class Counter:
    """A count, and how fast it grew in the last seconds."""

    def __init__(self) -> None:
        self.total = 0
        self._when: deque[float] = deque(maxlen=2000)

    def add(self) -> None:
        """Counts one."""
        self.total += 1
        self._when.append(time.monotonic())

    def per_second(self) -> float:
        """Of the last seconds."""
        now = time.monotonic()
        recent = [when for when in self._when if when >= now - SECONDS / 4]
        if len(recent) < 2:
            return 0.0
        return round((len(recent) - 1) / max(now - recent[0], 1e-3), 1)


def taken_ns(info: framelane.FrameInfo) -> int:
    """When a frame was taken, by CLOCK_MONOTONIC; when it was published, if it does not say."""
    if info.capture_ns and info.capture_clock == framelane.ClockId.MONOTONIC:
        return info.capture_ns
    return info.publish_ns

"""The stages a picture goes through: which is up, which is not, since when, and why."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import framelane
import looking
from figures import Spans
from looking import Look

STALE_NS = 3_000_000_000
"""From this age of the newest frame or record on a stage counts as stalled."""


@dataclass
class Stage:
    """One stage. `state` is `up`, `idle` (nobody wants anything), `stalled` or `down`."""

    id: str
    name: str
    measured: str
    """What its latency is from and to."""
    state: str = "down"
    why: str = "not looked yet"
    note: str = ""
    """What it means, where that is not what its state usually means."""
    since: float = field(default_factory=time.time)
    recovered: dict[str, float] | None = None
    fps: float | None = None
    drops: int = 0
    quantiles: tuple[float, float] | None = None

    def becomes(self, state: str, why: str = "", note: str = "") -> None:
        """Notes what it is now, and how long it was away where it is back."""
        if state != self.state:
            now = time.time()
            first = self.why == "not looked yet"
            away = now - self.since
            if self.state in ("down", "stalled") and state in ("up", "idle") and not first:
                self.recovered = {"at": round(now, 1), "after_s": round(away, 1)}
            self.state, self.since = state, now
        self.why, self.note = why, note

    def told(self) -> dict[str, Any]:
        """For the page."""
        p50, p99 = self.quantiles or (None, None)
        return {
            "id": self.id,
            "name": self.name,
            "measured": self.measured,
            "state": self.state,
            "why": self.why,
            "note": self.note,
            "since": round(self.since, 1),
            "recovered": self.recovered,
            "fps": self.fps,
            "drops": self.drops,
            "p50_ms": p50,
            "p99_ms": p99,
        }


class Rates:
    """How fast counts of lanes grow, from one look to the next."""

    LEAST_NS = 400_000_000
    """Looks that are closer together than this say nothing new."""

    def __init__(self) -> None:
        self._before: dict[Any, tuple[int, int, float | None]] = {}
        self._fresh: dict[Any, tuple[int, int, float | None]] = {}

    def turn(self) -> None:
        """A new look begins; what was not asked about in the last one is forgotten."""
        self._before, self._fresh = self._fresh, {}

    def of(self, key: Any, count: int, now_ns: int) -> float | None:
        """Per second; None at first sight."""
        before = self._before.get(key)
        rate = None
        if before is not None and count >= before[0]:
            if now_ns - before[1] < self.LEAST_NS:
                self._fresh[key] = before
                return before[2]
            rate = (count - before[0]) * 1e9 / (now_ns - before[1])
        self._fresh[key] = count, now_ns, rate
        return rate


def rounded(rate: float | None) -> float | None:
    """For the page."""
    return None if rate is None else round(rate, 1)


def lane_of(look: Look, name: str) -> tuple[str, framelane.Report | None]:
    """The lane of this name, or the active one where it is a switch, and what it answers."""
    report = look.report(name)
    if report is not None and looking.is_kind(report, framelane.LaneKind.SWITCH):
        names, (index, _) = looking.members(report), looking.active(report)
        if index < len(names):
            return names[index], look.report(names[index])
    return name, report


def tell_camera(
    stage: Stage, look: Look, frames: str, rates: Rates, spans: Spans, comes: bool
) -> None:
    """The camera: what is published to the lane that is active. `comes` says whether frames come
    nevertheless: readers of a switch go on without its controller."""
    name, report = lane_of(look, frames)
    stage.fps = None
    if report is None:
        if comes and name == frames:
            note = "The camera switch is not running: the camera that was active goes on."
            stage.becomes("stalled", look.problem(name), note)
        else:
            stage.becomes("down", look.problem(name))
        return
    newest = looking.newest_ns(report)
    fps = rates.of(("camera", name, report.epoch), report.published, report.now_ns)
    stage.fps, stage.quantiles = rounded(fps), spans.quantiles()
    stage.drops = report.no_free_slot + report.abandoned
    age_ns = report.now_ns - newest
    if not newest or age_ns > STALE_NS:
        stage.becomes("stalled", f"{name} is there and shows no new frame")
    else:
        stage.becomes("up")


def tell_stream(
    stage: Stage, look: Look, stream: str, sources: list[str], rates: Rates
) -> framelane.Report | None:
    """One that reads frames and writes records: its rate, state, and what it missed."""
    report = look.report(stream)
    stage.fps = None
    if report is None:
        stage.becomes("down", look.problem(stream))
        return None
    fps = rates.of((stage.id, report.epoch), report.published, report.now_ns)
    stage.fps = rounded(fps)
    stage.drops = sum(
        consumer.missed
        for source in sources
        if (lane := look.report(source)) is not None
        for consumer in lane.attached
        if consumer.pid == report.producer_pid
    )
    newest = looking.newest_ns(report)
    if newest and report.now_ns - newest <= STALE_NS:
        stage.becomes("up")
    elif not report.consumer_count:
        stage.becomes("idle", f"nobody reads {stream}")
    else:
        stage.becomes("stalled", f"{stream} is there and has no new record")
    return report


def exposure_to_record_ns(report: framelane.Report) -> int | None:
    """From the exposure until its record was there, of the newest record; None where the record's
    time is none of this machine's clock."""
    newest = report.stream.newest
    span = newest.publish_ns - newest.pts_ns
    is_clock = newest.capture_id and newest.pts_ns > 0 and 0 <= span < 10_000_000_000
    return span if is_clock else None


def sources_of(look: Look, names: list[str]) -> list[str]:
    """Lanes behind these names: the members of switches, and what is none."""
    found: list[str] = []
    for name in names:
        report = look.report(name)
        is_switch = looking.is_kind(report, framelane.LaneKind.SWITCH)
        found += looking.members(report) if report is not None and is_switch else [name]
    return found

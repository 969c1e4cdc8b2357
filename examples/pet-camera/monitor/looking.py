"""Asks all lanes of the machine how they are. A look takes no lease."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

import framelane

Answer = framelane.Report | framelane.Error

ANSWER = 1.0
"""Seconds that a producer may take."""


class Look(NamedTuple):
    """What every lane answered at one moment, by CLOCK_MONOTONIC."""

    now_ns: int
    lanes: dict[str, Answer]

    def report(self, name: str) -> framelane.Report | None:
        """Of a lane that answered."""
        answer = self.lanes.get(name)
        return answer if isinstance(answer, framelane.Report) else None

    def problem(self, name: str) -> str:
        """Why there is no report."""
        answer = self.lanes.get(name)
        return f"nobody makes {name}" if answer is None else str(answer)


async def look(pool: Executor) -> Look:
    """Asks all at once, so that one that is stuck delays none."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(pool, framelane.discover)
    except framelane.Error:
        found = []
    places = dict(reversed(found))  # of one name in several places the first counts
    asked = [loop.run_in_executor(pool, ask, *place) for place in places.items()]
    answers = await asyncio.gather(*asked)
    return Look(framelane.monotonic_ns(), dict(zip(places, answers, strict=True)))


def ask(name: str, directory: Path) -> Answer:
    """One lane."""
    try:
        return framelane.query(name, timeout=ANSWER, directory=directory)
    except framelane.Error as error:
        return error


def text(field: object) -> str:
    """Text of a report."""
    whole = bytes(field)  # type: ignore[call-overload]
    return str(whole.split(b"\0")[0], "utf-8", "replace")


def is_kind(report: framelane.Report | None, kind: framelane.LaneKind) -> bool:
    """Whether a lane is of this kind."""
    return report is not None and report.lane_kind == kind


def members(report: framelane.Report) -> list[str]:
    """Names of the lanes of a switch, by index."""
    about = report.switch_report
    return [text(member.name) for member in list(about.members)[: about.member_count]]


def active(report: framelane.Report) -> tuple[int, int]:
    """Index of a switch's active lane, and the switch epoch."""
    selection = report.switch_report.selection
    return selection & 0xFF, selection >> 8


def newest_ns(report: framelane.Report) -> int:
    """When the newest frame or record was published, 0 before the first."""
    newest = (
        report.stream.newest if report.lane_kind == framelane.LaneKind.STREAM else report.newest
    )
    return int(newest.publish_ns)


def frame_bytes(report: framelane.Report) -> int:
    """Bytes of a frame of a lane."""
    planes = list(report.newest.planes)[: report.newest.plane_count]
    return sum(plane.size_bytes for plane in planes)

"""Everything the page shows, put together from looks at the lanes and from what was read."""

from __future__ import annotations

import asyncio
import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import framelane
import holders
import looking
import server_figures
import stages
from detections import Detections
from figures import Spans
from looking import Look
from pictures import Pictures
from results import Result, Results, View
from stages import Rates, Stage
from viewers import Viewers

MOST_LISTENERS = 64
EVERY = (1.0, 5.0)
"""Seconds between looks while somebody listens, and while nobody does."""
LEAST = 0.1
"""Seconds between looks, however much changes."""
QUIET = 3.0
"""Seconds that viewers get no picture from which on that is worth telling."""


@dataclass(frozen=True)
class Names:
    """The lanes, switches and programs that are shown."""

    frames: str
    yolo: str
    detections: str
    stream: str
    server: str | None


class State:
    """The whole monitor but for HTTP."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.listeners: Viewers[str] = Viewers(MOST_LISTENERS, 32, self._look_again)
        self._results = Results()
        self.pictures = Pictures(
            names.frames, self._results, lambda: len(self.listeners) > 0, self._look_again
        )
        self.detections = Detections(
            names.detections,
            self._results,
            lambda: len(self.listeners) > 0 or len(self.pictures.viewers) > 0,
            self._arrived,
        )
        self.look = Look(0, {})
        self.stages = [
            Stage("camera", "Camera", "exposure to published"),
            Stage("detector", "Detector", "exposure to boxes"),
            Stage("encoder", "Encoder", "exposure to encoded, sampled"),
            Stage("server", "Streaming server", "encoded to sent"),
            Stage("monitor", "Monitor", "exposure to JPEG"),
        ]
        self._encoded = Spans()
        self._server = server_figures.Recent()
        self._rates = Rates()
        self._copies = Rates()
        self._pool = ThreadPoolExecutor(8, "look")
        self._served = self._pictured = time.monotonic()
        self._wake = asyncio.Event()
        self._told: dict[str, Any] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for each in (
                    self.pictures.read(),
                    self.pictures.encode(),
                    self.detections.read(),
                    self._keep_looking(),
                ):
                    tasks.create_task(each)
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def look_again(self) -> None:
        """Something was changed: the page is to see it now."""
        self._wake.set()

    def _look_again(self) -> None:
        self.pictures.look_again()
        self.detections.look_again()
        self._wake.set()

    def greeting(self) -> str:
        """What a new listener gets at once."""
        return event("state", self._told) if self._told else ": welcome\n\n"

    @property
    def told(self) -> dict[str, Any]:
        """What was told last."""
        return self._told

    async def _keep_looking(self) -> None:
        while True:
            begun = time.monotonic()
            self._wake.clear()  # whatever changes from here on is seen by the next look
            await self.refresh()
            self.listeners.offer(event("state", self._told))
            await asyncio.sleep(LEAST)
            every = EVERY[0] if len(self.listeners) else EVERY[1]
            try:
                async with asyncio.timeout(max(every - (time.monotonic() - begun), 0.0)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def refresh(self) -> dict[str, Any]:
        """Looks, and what there is to tell."""
        self.look = await looking.look(self._pool)
        self._rates.turn()
        await self._tell_stages()
        processes = {os.getpid(): "monitor"}
        for name, lane in (("detector", self.names.detections), ("encoder", self.names.stream)):
            report = self.look.report(lane)
            if report is not None:
                processes[report.producer_pid] = name
        self._copies.turn()
        own = self._copies.of("own", self.pictures.copied_bytes, self.look.now_ns) or 0.0
        self._told = {
            "at": round(time.time(), 3),
            "camera": tell_camera(self.look, self.names.frames),
            "stages": [stage.told() for stage in self.stages],
            "mjpeg": {
                "viewers": len(self.pictures.viewers),
                "fps": self.pictures.encoded.per_second() if len(self.pictures.viewers) else 0.0,
                "encoded": self.pictures.encoded.total,
                "boxed": self.pictures.boxed.total,
                "skipped": self.pictures.skipped.total,
                "dropped": self.pictures.viewers.dropped,
            },
            **holders.tell(self.look, self._rates, processes, own),
        }
        return self._told

    async def _tell_stages(self) -> None:
        camera, detector, encoder, server, monitor = self.stages
        look, names = self.look, self.names
        frames, yolo = (stages.sources_of(look, [name]) for name in (names.frames, names.yolo))
        pictures = self.pictures
        comes = pictures.frames.per_second() > 0
        stages.tell_camera(camera, look, names.frames, self._rates, pictures.to_publish, comes)
        read = list({*yolo, *frames})  # the two may be one lane
        stages.tell_stream(detector, look, names.detections, read, self._rates)
        detector.quantiles = self.detections.latency.quantiles()
        if self.detections.refused.per_second() and not self.detections.read_total.per_second():
            note = "The detector's records make no sense: no boxes. Pictures go on."
            detector.becomes("stalled", self.detections.problem or "", note)
        stream = stages.tell_stream(encoder, look, names.stream, frames, self._rates)
        span = None if stream is None else stages.exposure_to_record_ns(stream)
        if span is not None and encoder.state == "up":
            self._encoded.add(span)
        encoder.quantiles = self._encoded.quantiles()
        await self._tell_server(server)
        self._tell_self(monitor)

    async def _tell_server(self, stage: Stage) -> None:
        address = self.names.server
        if address is None:
            stage.becomes("idle", "the monitor was told of none (--server)")
            return
        loop = asyncio.get_running_loop()
        try:
            scraped = await loop.run_in_executor(self._pool, server_figures.scrape, address)
        except (OSError, ValueError) as error:
            self._server.clear()
            stage.fps = None
            stage.becomes("down", f"{address} does not answer: {error}")
            return
        now = time.monotonic()
        before = self._server.total("units_total")
        self._server.add(scraped)
        units = int(self._server.total("units_total"))
        watched = self._server.total("viewers") > 0
        if units != int(before) or not watched:
            self._served = now
        stage.fps = stages.rounded(self._rates.of("server", units, framelane.monotonic_ns()))
        stage.drops = int(self._server.total("viewer_units_dropped_total"))
        stage.quantiles = self._server.quantiles()
        if not watched:
            stage.becomes("idle", "nobody watches by it")
        elif now - self._served > QUIET:
            stage.becomes("stalled", "it has viewers and no new picture for them")
        else:
            stage.becomes("up")

    def _tell_self(self, stage: Stage) -> None:
        pictures = self.pictures
        stage.drops = pictures.missed + pictures.skipped.total + pictures.viewers.dropped
        stage.quantiles = pictures.to_jpeg.quantiles()
        stage.fps = pictures.encoded.per_second() if len(pictures.viewers) else None
        if not len(pictures.viewers) or stage.fps:
            self._pictured = time.monotonic()
        if not len(pictures.viewers):
            stage.becomes("idle", "nobody watches its pictures")
        elif pictures.problem is not None:
            stage.becomes("stalled", pictures.problem)
        elif time.monotonic() - self._pictured > QUIET:
            stage.becomes("stalled", "no frame comes to make a picture of")
        else:
            stage.becomes("up")

    def _arrived(self, result: Result) -> None:
        self.pictures.arrived(result)
        if len(self.listeners):
            told = tell_result(result, self.pictures.last_info)
            self.listeners.offer(event("result", told))


def event(kind: str, what: dict[str, Any]) -> str:
    """A server-sent event."""
    return f"event: {kind}\ndata: {json.dumps(what, separators=(',', ':'))}\n\n"


def tell_result(result: Result, info: framelane.FrameInfo | None) -> dict[str, Any]:
    """What was found in a frame, in pixels of the lane that is shown, and the time by which a
    picture of the server is that frame."""
    size, boxes = (result.width, result.height), result.boxes
    if info is not None:
        size = info.width, info.height
        boxes = result.boxes_in(*size, View.of(info))
    return {
        "capture_id": result.key.capture_id,
        "camera_id": result.key.camera_id,
        "ticks": result.key.capture_ns // 1000 * 9 // 100,
        "detector": result.detector,
        "width": size[0],
        "height": size[1],
        "objects": [box._asdict() for box in boxes],
    }


def tell_camera(look: Look, name: str) -> dict[str, Any]:
    """The switch, or that there is none."""
    report = look.report(name)
    if report is None or not looking.is_kind(report, framelane.LaneKind.SWITCH):
        why = look.problem(name) if report is None else f"{name} is one lane, not a switch"
        return {"name": name, "switchable": False, "why": why, "active": None, "lanes": []}
    index, epoch = looking.active(report)
    about = report.switch_report
    lanes = [tell_member(look, lane) for lane in looking.members(report)]
    return {
        "name": name,
        "switchable": True,
        "why": "",
        "active": index,
        "lanes": lanes,
        "automatic": not about.held,
        "switch_epoch": epoch,
        "switches": about.switches,
        "active_for_s": round((report.now_ns - about.switched_ns) / 1e9, 1),
    }


def tell_member(look: Look, lane: str) -> dict[str, Any]:
    """A lane of the switch."""
    report = look.report(lane)
    seen = report is not None and report.published > 0
    brightness = report.newest.brightness_avg if report is not None and seen else -1.0
    return {
        "name": lane,
        "live": report is not None,
        # A number of another program: JSON has none that is not finite.
        "brightness": round(brightness, 1) if 0 <= brightness < math.inf else None,
    }

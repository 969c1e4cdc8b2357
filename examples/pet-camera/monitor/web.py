"""The monitor by HTTP: the page, pictures, events, the switch, health and metrics."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import framelane
import live
import looking
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from state import Names, State
from viewers import TooManyError, Viewer, Viewers

T = TypeVar("T")

PAGE = Path(__file__).parent / "page"
CHOICES = {"day": 0, "night": 1, "automatic": None}
MOST_BYTES = 1024
"""Of a request's body."""


class Web:
    """Routes to one monitor."""

    def __init__(self, state: State, address: str, allowed_hosts: list[str]) -> None:
        self.ended = asyncio.Event()
        self._state = state
        routes = [
            Route("/stream.mjpeg", self.stream),
            Route("/events", self.events),
            Route("/switch", self.switch, methods=["POST"]),
            Route("/config.json", self.config),
            Route("/healthz", self.health),
            Route("/metrics", self.metrics),
            Mount("/", StaticFiles(directory=PAGE, html=True)),
        ]
        server = state.names.server
        self.app: ASGIApp = Guard(Starlette(routes=routes), address, allowed_hosts, server)

    async def stream(self, _request: Request) -> Any:
        """Live pictures."""
        kind = f"multipart/x-mixed-replace; boundary={live.BOUNDARY}"
        return self._live(kind, self._state.pictures.viewers, live.parts)

    async def events(self, _request: Request) -> Any:
        """Everything the page shows, as it changes."""

        def pieces(viewer: Viewer[str]) -> AsyncIterator[bytes]:
            return live.events(viewer, self._state.greeting())

        return self._live("text/event-stream", self._state.listeners, pieces)

    def _live(
        self,
        kind: str,
        viewers: Viewers[T],
        pieces: Callable[[Viewer[T]], AsyncIterator[bytes]],
    ) -> Any:
        try:
            return live.Live(kind, viewers, pieces, self.ended)
        except TooManyError as error:
            return PlainTextResponse(str(error), 503)

    async def config(self, _request: Request) -> Response:
        """What the page has to know before it begins."""
        return JSONResponse({"server": self._state.names.server})

    async def switch(self, request: Request) -> Response:
        """Selects a camera, or takes a choice back: {"to": "day" | "night" | "automatic"}."""
        refused = foreign(request)
        if refused is not None:
            return refused
        try:
            said = json.loads(await body(request))
            choice = CHOICES[said["to"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            text = f'the body is {{"to": {" | ".join(json.dumps(to) for to in CHOICES)}}}'
            return JSONResponse({"error": text}, 400)
        try:
            answer = await asyncio.to_thread(select, self._state.names, choice)
        except framelane.Error as error:
            return JSONResponse({"error": str(error)}, status_of(error))
        self._state.look_again()
        return JSONResponse(answer)

    async def health(self, _request: Request) -> Response:
        """200, or 503 while a stage that somebody needs is down; with all stages."""
        stages = self._state.told.get("stages", [])
        needed = [stage for stage in stages if stage["id"] in ("camera", "monitor")]
        well = needed and all(stage["state"] in ("up", "idle") for stage in needed)
        return JSONResponse({"ok": bool(well), "stages": stages}, 200 if well else 503)

    async def metrics(self, _request: Request) -> Response:
        """Prometheus text."""
        return PlainTextResponse(metrics(self._state), media_type="text/plain; version=0.0.4")


def select(names: Names, choice: int | None) -> dict[str, Any]:
    """Selects at the switch of the frames, and at that of the detector's frames where another
    program makes that: one that makes both lets both follow. What is exposed after `switched_ns`,
    by CLOCK_MONOTONIC, is shown of the new camera."""
    index, epoch = framelane.select(names.frames, choice)
    switched_ns = framelane.monotonic_ns()
    own, other = (maker_of(name) for name in (names.frames, names.yolo))
    if other is not None and own != other:
        framelane.select(names.yolo, choice)
    return {
        "active": index,
        "switch_epoch": epoch,
        "automatic": choice is None,
        "switched_ns": switched_ns,
    }


def maker_of(name: str) -> int | None:
    """The process that makes this switch; None where there is no switch of this name."""
    try:
        report = framelane.query(name)
    except framelane.Error:
        return None
    is_switch = looking.is_kind(report, framelane.LaneKind.SWITCH)
    return report.producer_pid if is_switch else None


def status_of(error: framelane.Error) -> int:
    """The HTTP status of what the switch answers."""
    kinds = framelane.ErrorKind
    known = {
        kinds.NOT_FOUND: 503,
        kinds.DISCONNECTED: 503,
        kinds.TIMED_OUT: 504,
        kinds.PERMISSION_DENIED: 403,
        kinds.INVALID_ARGUMENT: 409,
        kinds.UNSUPPORTED: 409,
    }
    return known.get(error.kind, 502)


async def body(request: Request) -> bytes:
    """A small body. ValueError of a large one."""
    got = b""
    async for piece in request.stream():
        got += piece
        if len(got) > MOST_BYTES:
            raise ValueError("the body is too large")
    return got


def foreign(request: Request) -> Response | None:
    """Refuses what a page of another origin could have had the browser send: only scripts of this
    origin can send JSON here, and browsers say where a request comes from."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        return JSONResponse({"error": "the body is application/json"}, 415)
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        return JSONResponse({"error": f"requests from {origin} are not taken"}, 403)
    return None


def metrics(state: State) -> str:
    """Counts of this program; those of lanes are at `framelane metrics`."""
    pictures, detections = state.pictures, state.detections
    rows: list[tuple[str, str, str, float]] = [
        ("viewers", "gauge", "Viewers of pictures now.", len(pictures.viewers)),
        ("listeners", "gauge", "Listeners to events now.", len(state.listeners)),
        ("frames_total", "counter", "Frames read.", pictures.frames.total),
        ("pictures_total", "counter", "Pictures encoded.", pictures.encoded.total),
        ("boxed_total", "counter", "Pictures that had boxes of their own.", pictures.boxed.total),
        ("skipped_total", "counter", "Pictures the encoder missed.", pictures.skipped.total),
        ("dropped_total", "counter", "Pictures viewers missed.", pictures.viewers.dropped),
        ("copied_bytes_total", "counter", "Bytes of frames copied.", pictures.copied_bytes),
        ("results_total", "counter", "Results read.", detections.read_total.total),
        ("refused_total", "counter", "Records that were no result.", detections.refused.total),
    ]
    text = "".join(
        f"# HELP framelane_monitor_{name} {about}\n# TYPE framelane_monitor_{name} {kind}\n"
        f"framelane_monitor_{name} {value}\n"
        for name, kind, about, value in rows
    )
    up = "# HELP framelane_monitor_stage_up Whether a stage is up or idle.\n"
    up += "# TYPE framelane_monitor_stage_up gauge\n"
    for stage in state.stages:
        well = int(stage.state in ("up", "idle"))
        up += f'framelane_monitor_stage_up{{stage="{stage.id}"}} {well}\n'
    return text + up


class Guard:
    """Before everything: only names of this machine are answered, so that a foreign page cannot
    have its own name point here and then read what we say; and nobody may embed or sniff."""

    def __init__(
        self, app: ASGIApp, address: str, allowed_hosts: list[str], server: str | None
    ) -> None:
        self._app, self._address, self._allowed = app, address, {*allowed_hosts, "localhost"}
        reach = f"'self' {server}" if server else "'self'"
        policy = (
            f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src {reach}; "
            "img-src 'self' blob: data:; media-src blob:; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]

    def _is_allowed(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            return name in self._allowed or bool(ipaddress.ip_address(name))
        except ValueError:
            return False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or refuses."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = dict(scope["headers"]).get(b"host", b"").decode("latin1")
        if not self._is_allowed(host):
            text = f"{host!r} is no name of this monitor (--allow-host)"
            await PlainTextResponse(text, 421)(scope, receive, send)
            return
        if host.startswith("localhost") and scope["path"] == "/" and "127.0.0.1" in self._address:
            # The page has one origin, which the streaming server knows.
            await RedirectResponse(self._address)(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                fresh = [(b"cache-control", b"no-cache")]
                given = list(message.get("headers", []))
                if any(name == b"cache-control" for name, _ in given):
                    fresh = []
                message = {**message, "headers": [*given, *fresh, *self._headers]}
            await send(message)

        await self._app(scope, receive, guarded)

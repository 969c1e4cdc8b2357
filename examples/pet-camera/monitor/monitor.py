"""Shows a pet camera in a browser: live pictures with boxes, the switch, and how everything is.

    monitor.py [--listen ADDRESS] [--server URL] [--frames NAME] [--yolo NAME]
               [--detections LANE] [--stream LANE] [--allow-host NAME]

It prints the address it listens on as its first line, and ends well at SIGINT and SIGTERM. What is
not there yet is waited for, and what comes back is attached to again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from state import Names, State
from web import Web

STALLED_MS = 20_000
"""A viewer who takes nothing for so long is disconnected, by the kernel."""
WAITING_BYTES = 64 << 10
"""What may wait in the kernel for a viewer."""
GRACE = 5
"""Seconds that answers get at the end."""


def main() -> int:
    """Runs until it is told to end; the exit status."""
    options = parse()
    logging.basicConfig(level=logging.INFO, format="monitor: %(message)s", stream=sys.stderr)
    # What lanes and `framelane who` call this program; without it, "python".
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text("monitor")
    try:
        listener = listen(options.listen)
    except (OSError, ValueError) as error:
        logging.error("%s: %s", options.listen, error)
        return 1
    names = Names(options.frames, options.yolo, options.detections, options.stream, options.server)
    with listener:
        asyncio.run(serve(listener, names, options.allow_host))
    return 0


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Shows a pet camera in a browser.")
    name = parser.add_argument
    name("--listen", default="127.0.0.1:0", help="address; port 0 takes a free one")
    name("--server", metavar="URL", help="the streaming server, for WebRTC and MP4")
    name("--frames", default="pet_camera_active_zc", help="switch or frame lane to show")
    name("--yolo", default="pet_camera_yolo_zc", help="switch or frame lane the detector reads")
    name("--detections", default="pet_camera_detections", help="stream lane of its results")
    name("--stream", default="pet_camera_stream", help="stream lane of encoded video")
    name("--allow-host", action="append", default=[], help="a further name of this machine")
    options = parser.parse_args()
    if options.server is not None:
        options.server = options.server.rstrip("/")
    return options


def listen(address: str) -> socket.socket:
    """Listens there: HOST:PORT with the host an address or a name."""
    host, colon, port = address.rpartition(":")
    if not colon:
        raise ValueError("an address is HOST:PORT")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Both are inherited by what is accepted. What waits in the kernel is old when it is shown.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, WAITING_BYTES)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MS)
        listener.bind((host, int(port)))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host)
    return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"


class Server(uvicorn.Server):
    """Leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


async def serve(listener: socket.socket, names: Names, allowed_hosts: list[str]) -> None:
    """Until a signal comes."""
    state = State(names)
    web = Web(state, url_of(listener), allowed_hosts)
    config = uvicorn.Config(
        web.app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE,
        server_header=False,
        ws="none",
        lifespan="off",
    )
    server = Server(config)

    def end() -> None:
        web.ended.set()
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    print(url_of(listener), flush=True)
    running = asyncio.create_task(state.run())
    # Whatever breaks in the monitor itself ends the program, rather than leaving half of it.
    running.add_done_callback(lambda _: end())
    try:
        await server.serve(sockets=[listener])
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


if __name__ == "__main__":
    sys.exit(main())

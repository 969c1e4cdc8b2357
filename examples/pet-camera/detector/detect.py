"""Looks for something in the frames of a lane or switch and tells what it found, for each frame.

    detect.py [LANE] [RESULTS] [--detect motion|face|cat] [--model FILE.onnx]

LANE, a lane or a switch, is read where the camera put the frames. Each record of the stream lane
RESULTS is JSON and says which exposure of which camera it is about, so that whoever draws finds the
frames it belongs to, in every lane of that camera:

    {"camera_id": 0, "capture_id": 7, "capture_ns": 91000000, "sequence": 7,
     "width": 640, "height": 360, "view": [0, 0, 1920, 1080], "detector": "motion",
     "objects": [{"label": "motion", "score": 0.4, "x": 8, "y": 9, "width": 64, "height": 48}]}

Pixels are of the frame that was read, from its upper left corner; its view is what it shows of the
sensor, all zero where the camera does not say. There is a record for a frame in which nothing was
found, too. It ends well at SIGINT and SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

import framelane
from finders import Finder, Found, UnusableError, make_finder

log = logging.getLogger("detect")

PATIENCE = 0.5
"""Seconds to wait for a frame before looking whether to end."""

PASSING = (
    framelane.ErrorKind.NOT_FOUND,
    framelane.ErrorKind.TIMED_OUT,
    framelane.ErrorKind.TOO_MANY,
)
"""Nobody is there yet, or is busy with others: trying again may help."""

Source = framelane.Consumer | framelane.Switch


def main() -> int:
    """Runs until it is told to end; the exit status."""
    options = parse()
    logging.basicConfig(level=logging.INFO, format="detect: %(message)s", stream=sys.stderr)
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        finder = make_finder(options.detect, options.model)
        detect(options.lane, options.results, finder, ended.is_set)
    except (UnusableError, framelane.Error) as error:
        log.error("%s", error)
        return 1
    return 0


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Finds things in the frames of a lane.")
    parser.add_argument(
        "lane", nargs="?", default="pet_camera_yolo_zc", help="frame lane or switch to read"
    )
    parser.add_argument(
        "results", nargs="?", default="pet_camera_detections", help="stream lane to write"
    )
    parser.add_argument("--detect", choices=["motion", "face", "cat"], default="motion")
    parser.add_argument("--model", metavar="FILE.onnx", help="a YOLO model instead")
    return parser.parse_args()


def detect(lane: str, results: str, finder: Finder, ended: Callable[[], bool]) -> None:
    """Reads the newest frame again and again, and writes what was found in it."""
    config = framelane.StreamConfig("json")
    with framelane.StreamWriter(results, config) as writer:
        source = attach(lane, ended)
        if source is None:
            return
        with source:
            watch(source, finder, writer, ended)


def attach(name: str, ended: Callable[[], bool]) -> Source | None:
    """A reader of the newest frames, once there are any; None when told to end before."""
    while not ended():
        try:
            return open_source(name)
        except framelane.Error as error:
            if error.kind not in PASSING:
                raise
    return None


def open_source(name: str) -> Source:
    """A reader of the lane or of the switch of this name."""
    try:
        return framelane.Consumer(name, wait=PATIENCE)
    except framelane.Error as error:
        if error.kind != framelane.ErrorKind.UNSUPPORTED:
            raise
        refused = error
    try:
        return framelane.Switch(name)
    except framelane.Error as error:
        # Where it is no switch but a lane that cannot be read, the first reason counts.
        raise refused if error.kind == framelane.ErrorKind.UNSUPPORTED else error


def watch(
    source: Source,
    finder: Finder,
    writer: framelane.StreamWriter,
    ended: Callable[[], bool],
) -> None:
    """Looks at the newest frame again and again."""
    while not ended():
        frame = source.read(PATIENCE)
        if frame is not None:
            look(frame, finder, writer)


def look(frame: framelane.Frame, finder: Finder, writer: framelane.StreamWriter) -> None:
    """Finds and tells; nothing is told of a frame whose memory was taken back meanwhile."""
    try:
        with frame:
            info = frame.info
            found = finder.find(frame)
    except framelane.Error as error:
        if error.kind != framelane.ErrorKind.REVOKED:
            raise
        log.warning("%s", error)
        return
    record = encode(info, finder.name, found)
    writer.write(record, key=True, pts_ns=info.publish_ns, capture_id=info.capture_id)


def encode(info: framelane.FrameInfo, detector: str, found: list[Found]) -> bytes:
    """The record of one frame."""
    return json.dumps(
        {
            "camera_id": info.camera_id,
            "capture_id": info.capture_id,
            "capture_ns": info.capture_ns,
            "sequence": info.sequence,
            "width": info.width,
            "height": info.height,
            "view": [info.crop_x, info.crop_y, info.crop_width, info.crop_height],
            "detector": detector,
            "objects": [one._asdict() for one in found],
        }
    ).encode()


if __name__ == "__main__":
    sys.exit(main())

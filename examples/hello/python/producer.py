"""Publishes numbered frames: `producer.py [LANE [FRAMES]]`."""

import sys
import time

import framelane

lane = sys.argv[1] if len(sys.argv) > 1 else "hello"
frames = int(sys.argv[2]) if len(sys.argv) > 2 else 30

with framelane.Producer(lane, "nv12", 640, 480) as producer:
    for number in range(1, frames + 1):
        with producer.claim() as frame:
            for plane in frame.planes:
                plane.raw[0] = number % 256
        time.sleep(1 / 30)
